//! A child that does not end as it says would make every test of forks worthless.

use std::os::unix::process::ExitStatusExt as _;

use audit_testkit::fork::fork;

#[test]
fn the_exit_code_is_what_the_child_says_and_its_memory_its_own() {
    let mut number = 3_u8;
    let status = fork(|| {
        number += 4;
        number
    });
    assert_eq!(status.wait().code(), Some(7));
    assert_eq!(number, 3);
}

#[test]
fn a_child_that_panics_or_is_ended_is_told_apart() {
    assert_eq!(fork(|| panic!("for a test")).wait().code(), Some(255));
    assert_eq!(fork(|| std::process::abort()).wait().signal(), Some(6));
}
