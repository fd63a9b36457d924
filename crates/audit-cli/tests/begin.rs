//! `audit begin`: a new log that names the one it takes over from.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

mod common;

use std::fs;
use std::path::Path;

use common::{Log, audit, events, told};
use serde_json::Value;

fn begin(new: &Log, old: &Log) -> (i32, String) {
    let done = audit(&["begin", new.path(), "--continues", old.path()], "");
    (done.status.code().unwrap(), told(&done))
}

fn records(log: &Log) -> Vec<Value> {
    log.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_restored_log_is_taken_over_by_a_new_one_that_names_it() {
    let old = Log::new();
    old.record(&events(5), &[]);
    let before = old.text();
    let new = Log::new();
    assert_eq!(begin(&new, &old), (0, String::new()));
    assert_eq!(old.text(), before);

    let recorded = new.record(&events(3), &[]);
    assert_eq!(recorded.status.code(), Some(0), "{}", told(&recorded));
    let (first, last) = (records(&new).swap_remove(0), records(&old).pop().unwrap());
    let head = format!("{}:{}", last["seq"], last["hash"].as_str().unwrap());
    let log_id = &records(&old)[0]["event"]["log_id"];
    assert_eq!(first["event"]["continues"]["head"], head);
    assert_eq!(first["event"]["continues"]["log_id"], *log_id);
    assert_ne!(first["event"]["log_id"], *log_id, "a log of its own");
    assert_eq!((&first["seq"], &first["service_id"]), (&0.into(), &"web.shop-1".into()));
    let said: Vec<_> = records(&new).into_iter().filter(|record| record["seq"] != 0).collect();
    assert!(said.iter().all(|record| record["event"]["continues"].is_null()), "once");
    let verified = new.verify(&[]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn a_log_that_has_begun_is_not_begun_again() {
    let (old, new) = (Log::new(), Log::new());
    old.record(&events(1), &[]);
    new.record(&events(1), &[]);
    let before = new.text();
    let (status, told) = begin(&new, &old);
    assert_eq!(status, 2);
    assert!(told.contains("the log has begun already"), "{told}");
    assert_eq!(new.text(), before);
}

#[test]
fn without_a_record_there_is_nothing_to_go_on_from() {
    let (old, new) = (Log::new(), Log::new());
    let (status, told) = begin(&new, &old);
    assert!(status == 2 && told.contains("cannot open the directory"), "{told}");
    fs::create_dir(old.path()).unwrap();
    let (status, told) = begin(&new, &old);
    assert!(status == 2 && told.contains("has no record to go on from"), "{told}");
    assert!(!Path::new(new.path()).exists());
}
