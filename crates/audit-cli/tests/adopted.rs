//! Records that an operator takes over with `--adopt`, and what a verdict on them says.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

mod common;

use common::{Key, Log, audit, events, told};

/// The head that a refusal asks for.
#[track_caller]
fn head_asked_for(log: &Log, key: &Key) -> String {
    let before = log.text();
    let done = log.record(&events(1), &["--key", key.path()]);
    assert_eq!(done.status.code(), Some(2), "{}", told(&done));
    assert_eq!(log.text(), before, "a refusal changes nothing");
    let said = told(&done);
    assert!(said.contains("adopt the head "), "{said}");
    let head = said.split("adopt the head ").nth(1).unwrap();
    head.split_whitespace().next().unwrap().to_owned()
}

/// Exit status and report.
fn verified(log: &Log, more: &[&str]) -> (i32, String) {
    let done = log.verify(more);
    let printed = String::from_utf8(done.stdout.clone()).unwrap() + &told(&done);
    (done.status.code().unwrap(), printed)
}

/// A log without a key, taken over; its key, and how many records were.
fn adopted() -> (Log, Key, usize) {
    let (log, key) = (Log::new(), Key::new("audit.example/host-1"));
    assert_eq!(log.record(&events(4), &[]).status.code(), Some(0));
    let records = log.text().lines().count();
    let head = head_asked_for(&log, &key);
    let last = log.text().lines().last().unwrap().to_owned();
    let (seq, hash) = head.split_once(':').unwrap();
    assert!(last.contains(&format!("\"seq\":{seq},")) && last.contains(&format!("\"{hash}\"}}")));
    let done = log.record(&events(2), &["--key", key.path(), "--adopt", &head]);
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    (log, key, records)
}

#[test]
fn a_signed_log_with_adopted_records_is_not_what_was_required_unless_that_is_allowed() {
    let (log, key, records) = adopted();
    let in_words = format!("{records} records, in 1 ranges, that an operator adopted");
    let signed = ["--vkey", &key.vkey, "--require", "signed"];
    let allowed = ["--vkey", &key.vkey, "--require", "signed", "--allow-adopted"];
    for (args, status, word) in [
        (&signed[..], 3, "UNVERIFIABLE: "),
        (&allowed, 0, "SIGNED: "),
        (&signed[..2], 0, "SIGNED: "),
        (&[], 0, "CONSISTENT: "),
    ] {
        let (code, printed) = verified(&log, args);
        assert_eq!(code, status, "{args:?}\n{printed}");
        assert!(printed.starts_with(word), "{args:?}\n{printed}");
        let shown = printed.lines().find(|line| line.starts_with("  adopted ")).unwrap();
        assert!(shown.contains(&records.to_string()) && shown.contains("1 ranges"), "{printed}");
        let coverage = printed.lines().find(|line| line.starts_with("  coverage ")).unwrap();
        assert!(coverage.contains(&in_words), "{args:?}\n{printed}");
    }
    // What was kept elsewhere covers them, and does not make them anybody's.
    let head = log.text().lines().last().map(head_of).unwrap();
    let intact = ["--head", &head, "--require", "intact"];
    assert_eq!(verified(&log, &intact).0, 3);
    let (code, printed) = verified(&log, &[&intact[..], &["--allow-adopted"]].concat());
    assert!(
        code == 0 && printed.starts_with("INTACT: ") && printed.contains(&in_words),
        "{printed}"
    );
}

fn head_of(line: &str) -> String {
    let record: serde_json::Value = serde_json::from_str(line).unwrap();
    let member = |name: &str| record.get(name).unwrap();
    format!("{}:{}", member("seq"), member("hash").as_str().unwrap())
}

#[test]
fn each_word_is_for_one_end_and_each_range_is_counted() {
    let (log, key, records) = adopted();
    let between = log.text().lines().count();
    assert_eq!(log.record(&events(3), &["--unsigned"]).status.code(), Some(0));
    let more = log.text().lines().count() - between;
    let head = head_asked_for(&log, &key);
    let mut stale = head.clone().into_bytes();
    let last = stale.last_mut().unwrap();
    *last = if *last == b'0' { b'1' } else { b'0' };
    let stale = String::from_utf8(stale).unwrap();
    let before = log.text();
    let done = log.record(&events(1), &["--key", key.path(), "--adopt", &stale]);
    assert_eq!(done.status.code(), Some(2));
    assert!(told(&done).contains("does not end with the record that was given"), "{}", told(&done));
    assert_eq!(log.text(), before);
    // `audit checkpoint` asks for the word, and takes it.
    let done = audit(&["checkpoint", log.path(), "--key", key.path()], "");
    assert_eq!(done.status.code(), Some(2), "{}", told(&done));
    assert!(told(&done).contains(&head), "{}", told(&done));
    let done = audit(&["checkpoint", log.path(), "--key", key.path(), "--adopt", &head], "");
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    let signed = ["--vkey", &key.vkey, "--require", "signed"];
    assert_eq!(verified(&log, &signed).0, 3);
    let (code, printed) = verified(&log, &[&signed[..], &["--allow-adopted"]].concat());
    let in_words = format!("{} records, in 2 ranges, that an operator adopted", records + more);
    assert_eq!((code, printed.contains(&in_words)), (0, true), "{printed}");
    // The word was for that end: it is not taken again.
    let done = log.record(&events(1), &["--key", key.path(), "--adopt", &head]);
    assert_eq!(done.status.code(), Some(2), "{}", told(&done));
}
