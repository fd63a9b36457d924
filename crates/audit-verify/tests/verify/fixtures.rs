//! The corpus: directories as they lie on disk, each with the report that is expected on it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use audit_verify::{Code, VerifyOptions, verify_dir};
use serde_json::Value;

/// The logs of the corpus, each with its expected report.
fn corpus() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let paths = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let reports = paths.filter(|path| path.extension().is_some_and(|end| end == "json"));
    reports.map(|report| (report.with_extension(""), fs::read_to_string(report).unwrap())).collect()
}

#[test]
fn every_directory_of_the_corpus_gets_the_report_that_lies_beside_it() {
    let corpus = corpus();
    assert!(corpus.len() > 70, "only {} directories", corpus.len());
    for (dir, expected) in corpus {
        let report = verify_dir(&dir, &VerifyOptions::default()).unwrap();
        let json = serde_json::to_string_pretty(&report).unwrap();
        assert_eq!(format!("{json}\n"), expected, "{}", dir.display());
    }
}

#[test]
fn every_finding_that_needs_nothing_from_elsewhere_is_in_the_corpus() {
    let mut missing: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    for (_, expected) in corpus() {
        let report: Value = serde_json::from_str(&expected).unwrap();
        for finding in report["findings"].as_array().unwrap() {
            missing.remove(finding["code"].as_str().unwrap());
        }
    }
    // Heads, keys and pins are given by hand, and no file of a checkout is unreadable.
    let elsewhere = [
        "checkpoint_by_replaced_key",
        "checkpoint_signature_false",
        "checkpoint_unreadable",
        "head_beyond_end",
        "head_mismatch",
        "head_not_checked",
        "identity_mismatch",
        "identity_not_shown",
        "key_change_by_replaced_key",
        "key_change_false",
        "key_name_changed",
        "no_checkpoint_by_key",
        "pin_beyond_end",
        "pin_mismatch",
        "pin_not_checked",
        "pin_not_verified",
        "prune_not_attested",
        "quorum_not_met",
        "requirement_not_met",
        "segment_unreadable",
        "unsigned_end",
    ];
    assert_eq!(missing, elsewhere.into());
}
