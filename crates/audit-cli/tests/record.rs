//! `audit record`, as a program in any language sees it.

#![expect(clippy::print_stdout, reason = "a test says why it was skipped")]

mod common;

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Log, audit, events, sha256_tools, told};

#[test]
fn a_file_of_events_is_recorded_and_the_head_is_told() {
    let log = Log::new();
    let done = log.record(&events(3), &[]);
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    let told = told(&done);
    assert!(told.contains("recorded 3 events (1 critical), refused 0\n"), "{told}");
    let head = told.lines().find_map(|line| line.strip_prefix("head     ")).unwrap();
    let verified = log.verify(&["--head", head]);
    assert_eq!(verified.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&verified.stdout).contains("INTACT"));
    assert!(done.stdout.is_empty());
}

#[test]
fn a_receipt_tells_the_line_and_the_head_that_verify_takes() {
    let log = Log::new();
    let input = format!("{}not an event\n{}", events(2), events(1));
    let done = log.record(&input, &["--receipts"]);
    assert_eq!(done.status.code(), Some(1), "{}", told(&done));
    let receipts = String::from_utf8(done.stdout).unwrap();
    let lines: Vec<&str> = receipts.lines().collect();
    assert_eq!(lines.len(), 4, "{receipts}");
    assert!(lines[0].starts_with("1 2:") || lines.iter().any(|line| line.starts_with("1 2:")));
    assert!(lines.iter().any(|line| line.starts_with("3 refused ")), "{receipts}");
    for line in lines {
        let (_, receipt) = line.split_once(' ').unwrap();
        if !receipt.starts_with("refused") {
            let verified = log.verify(&["--head", receipt]);
            assert_eq!(verified.status.code(), Some(0), "{receipt}");
        }
    }
}

#[test]
fn a_refused_line_is_reported_counted_and_no_reason_to_stop() {
    let log = Log::new();
    let bad = "{\"event_type\":\"auth_failure\"}";
    let done = log.record(&format!("{}{bad}\n{}", events(1), events(1)), &[]);
    assert_eq!(done.status.code(), Some(1));
    let told = told(&done);
    assert!(told.contains("audit: line 2 refused: "), "{told}");
    assert!(told.contains("recorded 2 events (0 critical), refused 1\n"), "{told}");
    let text = log.text();
    let digest = audit_core::Digest::of(bad.as_bytes());
    assert!(text.contains(r#""count":1,"critical_count":1,"reason":"refused""#));
    assert!(text.contains(&format!(r#""sha256":"{digest}""#)));
}

#[test]
fn lines_refused_at_the_end_of_the_input_are_counted_too() {
    for input in ["garbage\nmore garbage\n".to_owned(), format!("{}garbage", events(1))] {
        let log = Log::new();
        assert_eq!(log.record(&input, &[]).status.code(), Some(1));
        assert!(log.text().contains(r#""event_type":"events_lost""#));
        assert_eq!(log.verify(&[]).status.code(), Some(0));
    }
}

#[test]
fn recording_again_goes_on_in_a_new_segment_and_for_no_other_service() {
    let log = Log::new();
    log.record(&events(3), &[]);
    log.record(&events(3), &[]);
    assert_eq!(log.segments().len(), 2);
    let before = log.text();
    let refused = audit(&["record", "--dir", log.path(), "--service", "other"], &events(1));
    assert_eq!(refused.status.code(), Some(2));
    assert!(told(&refused).contains("belongs to the service web.shop-1, not to other"));
    assert_eq!(log.text(), before);
    let verified = String::from_utf8(log.verify(&[]).stdout).unwrap();
    assert!(verified.contains("CONSISTENT"), "{verified}");
}

#[test]
fn a_hash_is_what_an_independent_tool_computes() {
    let log = Log::new();
    log.record(&events(5), &[]);
    let text = log.text();
    let tools = sha256_tools();
    if tools.is_empty() {
        println!("skipped: neither sha256sum nor openssl is installed");
    }
    for tool in tools {
        for line in text.lines() {
            let body = &line[..line.len() - 75];
            let hash = &line[line.len() - 66..line.len() - 2];
            let mut child = Command::new("sh")
                .args(["-c", tool])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(b"\0").unwrap();
            stdin.write_all(body.as_bytes()).unwrap();
            drop(stdin);
            let printed = child.wait_with_output().unwrap().stdout;
            assert!(String::from_utf8_lossy(&printed).contains(hash), "{tool}: {line}");
        }
    }
}

#[test]
fn the_one_liner_of_the_format_prints_the_hash() {
    let log = Log::new();
    log.record(&events(1), &[]);
    let segment = &log.segments()[0];
    let script = "{ printf '\\0'; head -n 1 \"$0\" | head -c -76; } | sha256sum";
    let printed = Command::new("sh").arg("-c").arg(script).arg(segment).output().unwrap();
    let first = fs::read_to_string(segment).unwrap().lines().next().unwrap().to_owned();
    let hash = &first[first.len() - 66..first.len() - 2];
    assert!(String::from_utf8_lossy(&printed.stdout).starts_with(hash));
}

#[test]
fn an_event_is_durable_by_time_alone_while_the_input_is_idle() {
    let log = Log::new();
    let (mut child, mut stdin) = log.start(&["--receipts", "--interval", "1"]);
    stdin.write_all(events(1).as_bytes()).unwrap();
    // Standard input stays open and silent: only the interval can bring the receipt.
    let mut receipt = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut receipt).unwrap();
    assert!(receipt.starts_with("1 2:"), "{receipt}");
    child.kill().unwrap();
    child.wait().unwrap();
    let verified = log.verify(&["--head", receipt.trim_end().split_once(' ').unwrap().1]);
    assert_eq!(verified.status.code(), Some(0));
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let log = Log::new();
    for round in 0..10 {
        let (mut child, mut stdin) =
            log.start(&["--receipts", "--rotate", "size:20000", "--batch-size", "7"]);
        let feeder = std::thread::spawn(move || {
            let batch = events(100);
            while stdin.write_all(batch.as_bytes()).is_ok() {}
        });
        let reader = BufReader::new(child.stdout.take().unwrap());
        let collector = std::thread::spawn(move || reader.lines().collect::<Vec<_>>());
        std::thread::sleep(Duration::from_millis(60 + 17 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        feeder.join().unwrap();
        let text = log.text();
        let receipts = collector.join().unwrap();
        for receipt in receipts.into_iter().flatten().filter(|line| line.len() > 70) {
            let (_, hash) = receipt.rsplit_once(':').unwrap();
            assert!(text.contains(&format!(r#""hash":"{hash}"}}"#)), "round {round}: {receipt}");
        }
    }
    let code = log.verify(&["--allow-torn"]).status.code();
    assert_eq!(code, Some(0));
}

#[test]
fn a_reader_that_goes_away_is_no_reason_to_stop_recording() {
    let log = Log::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_audit"))
        .args(["record", "--dir", log.path(), "--service", "web.shop-1", "--receipts"])
        .args(["--flush", "immediate"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child.stdin.take().unwrap().write_all(events(20).as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(0));
    assert!(told(&done).contains("recorded 20 events"), "{}", told(&done));
    assert!(!told(&done).contains("pipe"), "{}", told(&done));
}

#[test]
fn what_cannot_run_says_why_and_exits_with_two() {
    let log = Log::new();
    let path = log.path();
    let parentless = format!("{path}/a/b");
    let cases: [(&[&str], &str); 5] = [
        (&["record", "--dir", path, "--service", "a b"], "a service id is"),
        (&["record", "--dir", &parentless, "--service", "a"], "cannot open the log"),
        (&["record", "--dir", path, "--service", "a", "absent.jsonl"], "cannot open absent.jsonl"),
        (&["record", "--dir", path, "--service", "a", "/"], "cannot read the input"),
        (&["record", "--dir", path, "--service", "a", "--rotate", "weekly"], "expected daily"),
    ];
    for (args, reason) in cases {
        let done = audit(args, "");
        assert_eq!(done.status.code(), Some(2), "{args:?}");
        assert!(told(&done).contains(reason), "{args:?}: {}", told(&done));
    }
}

#[test]
fn a_second_recorder_is_told_who_holds_the_log() {
    let log = Log::new();
    let (mut holder, stdin, _) = log.hold();
    let second = log.record(&events(1), &[]);
    assert_eq!(second.status.code(), Some(2));
    assert!(told(&second).contains(&format!("process {}", holder.id())), "{}", told(&second));
    drop(stdin);
    holder.wait().unwrap();
    assert_eq!(log.record(&events(1), &[]).status.code(), Some(0));
}

#[test]
fn two_mebibytes_of_one_line_and_bytes_that_are_no_text_are_refused_by_number() {
    let log = Log::new();
    let mut input = events(1).into_bytes();
    input.extend(vec![b'x'; 2 << 20]);
    input.extend(b"\n\xff\xfe\n");
    input.extend(events(1).bytes());
    let done =
        common::audit_bytes(&["record", "--dir", log.path(), "--service", "web.shop-1"], &input);
    assert_eq!(done.status.code(), Some(1));
    let told = told(&done);
    assert!(told.contains("audit: line 2 refused: a line of 2097152 bytes is too long"), "{told}");
    assert!(told.contains("audit: line 3 refused: "), "{told}");
    assert!(told.contains("recorded 2 events (0 critical), refused 2\n"), "{told}");
    assert!(log.text().contains(r#""count":2,"#));
}

#[test]
fn a_damaged_log_is_refused_and_goes_on_when_that_is_asked_for() {
    let log = Log::new();
    log.record(&events(5), &[]);
    let path = log.segments().remove(0);
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();

    let refused = log.record(&events(1), &[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(told(&refused).contains("is damaged at byte"), "{}", told(&refused));
    let goes_on = log.record(&events(1), &["--on-damage", "continue"]);
    assert_eq!(goes_on.status.code(), Some(0), "{}", told(&goes_on));
    assert_eq!(fs::read(&path).unwrap(), bytes, "what was found is left as it is");
    assert!(log.text().contains(r#"{"event_type":"damage_found","file":"#));
    assert_eq!(log.verify(&[]).status.code(), Some(1), "tampered, for good");
    assert_eq!(log.record(&events(1), &[]).status.code(), Some(0), "its end is whole again");
}

#[test]
fn a_directory_that_is_on_no_known_file_system_is_refused() {
    let record = ["record", "--dir", "/proc/self", "--service", "a"];
    let refused = audit(&record, "");
    assert_eq!(refused.status.code(), Some(2));
    assert!(told(&refused).contains("which is not known to be a local file system"));
    let allowed = audit(&[&record[..], &["--any-file-system"]].concat(), &events(1));
    assert!(!told(&allowed).contains("local file system"), "{}", told(&allowed));
}
