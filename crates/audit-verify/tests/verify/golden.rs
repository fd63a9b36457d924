//! A log by another implementation, which shares nothing with this project.

use std::path::Path;

use audit_verify::{Verdict, VerifyOptions, verify_dir};

const HEAD: &str = "1047:dd59e59173464ee3e30d4bd89cbf7e937d5e978cd5452591644584afeca33ce4";

#[test]
#[expect(clippy::print_stdout, reason = "a test says why it was skipped")]
fn the_head_and_the_root_are_those_of_the_other_implementation() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/golden");
    if !golden.is_dir() {
        println!("skipped: there is no shared data beside this checkout");
        return;
    }
    let report = verify_dir(&golden, &VerifyOptions::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Consistent, "{report}");
    assert_eq!(report.head.unwrap().to_string(), HEAD);
    assert!(report.to_string().contains("jnXDcI47Fbg6+ZHitaZea8XTgOn3hEdRf2+dDGyTnHk="));
    assert_eq!((report.records, report.events, report.critical), (1_048, 1_044, 620));
    assert_eq!((report.segments, report.findings_total, report.notices_total), (2, 0, 0));

    let heads = vec![HEAD.parse().unwrap()];
    let report = verify_dir(&golden, &VerifyOptions { heads, ..VerifyOptions::default() }).unwrap();
    assert_eq!(report.verdict, Verdict::Intact, "{report}");
}
