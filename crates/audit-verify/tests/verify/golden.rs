//! A log by another implementation, which shares nothing with this project.

use std::path::Path;

use audit_verify::{Verdict, VerifyOptions, verify_dir};

/// The key of the sealed log, as its description says.
const VKEY: &str = "audit.example/host-1+0c20ca15+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";

#[test]
#[expect(clippy::print_stdout, reason = "a test says why it was skipped")]
fn a_sealed_log_of_the_other_implementation_is_signed() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/golden-sealed");
    if !golden.is_dir() {
        println!("skipped: there is no shared data beside this checkout");
        return;
    }
    let keys = vec![VKEY.parse().unwrap()];
    let report = verify_dir(&golden, &VerifyOptions { keys, ..VerifyOptions::default() }).unwrap();
    assert_eq!(report.verdict, Verdict::Signed, "{report}");
    assert_eq!((report.findings_total, report.records), (0, 24), "{report}");
    let head = "23:c6bc55153476ce8047260df0f3383bef9eb4f9ec1ae8347257786eea0b65a757";
    assert_eq!(report.head.unwrap().to_string(), head);
    assert!(report.to_string().contains("2DryDiilDj9ZmNxHLSCsGwByamPG+V6EZduLVlQWRbU="));
}

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
