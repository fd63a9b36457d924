//! `audit verify`, as an auditor sees it.

#![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails or says why it was skipped"
)]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use audit_core::AuditEvent;
use common::{Key, Log, audit, events, shared_data, told};

const GOLDEN_HEAD: &str = "1047:dd59e59173464ee3e30d4bd89cbf7e937d5e978cd5452591644584afeca33ce4";

fn report(done: &std::process::Output) -> String {
    String::from_utf8(done.stdout.clone()).unwrap()
}

#[test]
fn a_real_attack_is_recorded_whole_and_verifies() {
    let Some(data) = shared_data() else { return };
    let input = data.join("openssh.events.jsonl");
    let log = Log::new();
    let record = ["record", "--dir", log.path(), "--service", "sshd.LabSZ"];
    let record = [record.as_slice(), &[input.to_str().unwrap()]].concat();
    let done = audit(&record, "");
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    assert!(told(&done).contains("recorded 1044 events (620 critical), refused 0\n"));
    let verified = log.verify(&["--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(verified.status.code(), Some(0));
    assert_eq!((&json["events"], &json["critical"]), (&1044.into(), &620.into()));
    assert_eq!(json["verdict"], "consistent");

    assert_eq!(audit(&record, "").status.code(), Some(0));
    assert_eq!(log.segments().len(), 2);
    let verified = log.verify(&["--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!((&json["events"], &json["verdict"]), (&2088.into(), &"consistent".into()));

    // What was recorded is, event by event, what was handed in.
    let given = fs::read_to_string(&input).unwrap();
    let text = log.text();
    for line in given.lines() {
        assert!(text.contains(line), "{line}");
    }
}

#[test]
fn a_log_of_another_implementation_is_judged_as_its_format_says() {
    let Some(data) = shared_data() else { return };
    let golden = data.join("golden");
    let golden = golden.to_str().unwrap();
    let done = audit(&["verify", golden], "");
    let text = report(&done);
    assert_eq!(done.status.code(), Some(0), "{text}");
    assert!(text.contains("CONSISTENT"), "{text}");
    assert!(text.contains(GOLDEN_HEAD), "{text}");
    assert!(text.contains("jnXDcI47Fbg6+ZHitaZea8XTgOn3hEdRf2+dDGyTnHk="), "{text}");
    assert!(text.contains("cannot be excluded"), "{text}");
    let done = audit(&["verify", golden, "--head", GOLDEN_HEAD], "");
    assert!(report(&done).contains("INTACT"));
    assert_eq!(done.status.code(), Some(0));
}

#[test]
fn a_cut_tail_is_found_with_a_head_and_named_as_not_excluded_without() {
    let Some(data) = shared_data() else { return };
    let log = Log::copy_of(&data.join("golden"));
    let last = log.segments().pop().unwrap();
    let whole = fs::read(&last).unwrap();
    let line = 1 + whole[..whole.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap();

    fs::write(&last, &whole[..line]).unwrap();
    let done = log.verify(&["--head", GOLDEN_HEAD]);
    assert_eq!((done.status.code(), report(&done).contains("TRUNCATED")), (Some(1), true));
    let done = log.verify(&[]);
    assert_eq!(done.status.code(), Some(0));
    assert!(report(&done).contains("CONSISTENT") && report(&done).contains("cut tail"));

    fs::write(&last, &whole[..line.midpoint(whole.len())]).unwrap();
    let done = log.verify(&[]);
    assert_eq!((done.status.code(), report(&done).contains("TORN")), (Some(4), true));
    assert_eq!(log.verify(&["--allow-torn"]).status.code(), Some(0));
}

/// The verdict and the exit status, without and with `--allow-torn`.
fn judged(log: &Log, more: &[&str]) -> (String, [Option<i32>; 2]) {
    let done = log.verify(&[&["--format", "json"], more].concat());
    let json: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let allowed = log.verify(&[&["--allow-torn"], more].concat());
    let statuses = [done.status.code(), allowed.status.code()];
    (json.get("verdict").unwrap().as_str().unwrap().to_owned(), statuses)
}

#[test]
fn each_verdict_has_its_exit_status_and_a_torn_end_alone_can_be_allowed() {
    let due = |verdict: &str, status| (verdict.to_owned(), [Some(status); 2]);
    let key = Key::new("audit.example/host-1");
    let log = Log::new();
    log.record(&events(5), &["--key", key.path()]);
    let vkey = ["--vkey", &key.vkey];
    let end = fs::read_dir(log.segments()[0].with_file_name("checkpoints")).unwrap();
    let end = end.map(|entry| entry.unwrap().path()).max().unwrap();
    assert_eq!(judged(&log, &["--pin", end.to_str().unwrap()]), due("intact", 0));
    assert_eq!(judged(&log, &vkey), due("signed", 0));
    assert_eq!(judged(&log, &[]), due("consistent", 0));

    // Its last record is log_closed, which no crash is behind: the one before it is torn.
    let last = log.segments().pop().unwrap();
    let whole = fs::read(&last).unwrap();
    let closing = 1 + memchr::memrchr(b'\n', &whole[..whole.len() - 1]).unwrap();
    let torn = &whole[..closing - 100];
    fs::write(&last, torn).unwrap();
    assert_eq!(judged(&log, &[]), due("truncated", 1));
    let kept = Log::copy_of_segments(&log);
    assert_eq!(judged(&kept, &[]), ("torn".to_owned(), [Some(4), Some(0)]));
    assert_eq!(judged(&kept, &vkey), due("unverifiable", 3));
    fs::write(kept.segments().pop().unwrap(), [b"x", torn].concat()).unwrap();
    assert_eq!(judged(&kept, &[]), due("tampered", 1));
}

#[test]
fn every_event_of_another_implementation_is_written_as_it_was_read() {
    let Some(data) = shared_data() else { return };
    let mut events = 0;
    for segment in Log::copy_of(&data.join("golden")).segments() {
        for line in fs::read_to_string(segment).unwrap().lines() {
            let (_, rest) = line.split_once(r#","event":"#).unwrap();
            let (event, _) = rest.rsplit_once(r#","prev_hash":""#).unwrap();
            let Ok((decoded, marks)) = AuditEvent::from_json(event) else { continue };
            assert!(marks.is_empty());
            assert!(!matches!(decoded, AuditEvent::Opaque(_)), "{event}");
            assert_eq!(serde_json::to_string(&decoded).unwrap(), event);
            events += 1;
        }
    }
    assert_eq!(events, 1044);
}

#[test]
fn a_changed_byte_is_named_by_file_and_line() {
    let log = Log::new();
    log.record(&events(9), &["--rotate", "size:3000"]);
    let second = log.segments().remove(1);
    let mut bytes = fs::read(&second).unwrap();
    let at = bytes.len() - 200;
    let line = 1 + memchr::memchr_iter(b'\n', &bytes[..at]).count();
    bytes[at] ^= 1;
    fs::remove_file(&second).unwrap();
    fs::write(&second, bytes).unwrap();
    let done = log.verify(&["--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(json["verdict"], "tampered");
    let findings = json["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0]["file"], second.file_name().unwrap().to_str().unwrap());
    assert_eq!(findings[0]["line"], line);
    let place = format!("{} line {line}, byte ", findings[0]["file"].as_str().unwrap());
    let text = report(&log.verify(&[]));
    let first = text.lines().nth(2).unwrap();
    assert!(first.starts_with(&format!("  first bad {place}")), "{text}");

    let coloured = report(&log.verify(&["--color", "always"]));
    assert!(!text.contains('\u{1b}'));
    for red in ["TAMPERED", &place, "hash_mismatch"] {
        let (before, _) = coloured.split_once(red).unwrap();
        assert!(before.ends_with('m'), "{coloured}");
    }
}

#[test]
fn a_good_log_has_no_first_bad_place_and_its_verdict_is_green() {
    let log = Log::new();
    log.record(&events(3), &[]);
    let coloured = report(&log.verify(&["--color", "always"]));
    assert!(coloured.starts_with("\u{1b}[1m\u{1b}[32mCONSISTENT\u{1b}[0m: "), "{coloured:?}");
    assert!(!coloured.contains("first bad"), "{coloured}");
}

#[test]
fn what_is_no_segment_is_a_finding_and_never_waited_for() {
    let name = "00000000000000000009.2026-01-02.audit.jsonl";
    let plants: [fn(&str); 3] = [
        |path| fs::create_dir(path).unwrap(),
        |path| symlink("/dev/zero", path).unwrap(),
        |path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
    ];
    for plant in plants {
        let log = Log::new();
        log.record(&events(1), &[]);
        plant(&format!("{}/{name}", log.path()));
        let done = log.verify(&[]);
        assert_eq!(done.status.code(), Some(1), "{}", report(&done));
        assert!(report(&done).contains(name));
    }
}

#[test]
fn where_there_is_nothing_to_look_at_is_told_apart_from_an_empty_log() {
    let log = Log::new();
    let done = log.verify(&[]);
    assert_eq!(done.status.code(), Some(2));
    assert!(told(&done).contains("cannot look at"));
    fs::create_dir(log.path()).unwrap();
    let done = log.verify(&[]);
    assert_eq!(done.status.code(), Some(3), "{}", report(&done));
    let done = audit(&["verify", log.path(), "--head", "7:nonsense"], "");
    assert_eq!(done.status.code(), Some(2));
}

/// The peak memory of a child in bytes, as the kernel counts it, and its exit status.
fn measured(log: &Log) -> Option<(u64, i32)> {
    let time = Command::new("/usr/bin/time")
        .args(["-f", "%M %x", env!("CARGO_BIN_EXE_audit"), "verify", log.path()])
        .output()
        .ok()?;
    let told = String::from_utf8_lossy(&time.stderr).into_owned();
    let (kib, status) = told.lines().last()?.split_once(' ')?;
    Some((1024 * kib.parse::<u64>().ok()?, status.parse().ok()?))
}

#[test]
fn a_line_without_end_is_a_finding_in_bounded_memory() {
    let log = Log::new();
    log.record(&events(3), &[]);
    let path = format!("{}/00000000000000000006.2026-01-02.audit.jsonl", log.path());
    let hole = fs::File::create(&path).unwrap();
    hole.set_len(1 << 30).unwrap();
    let brackets = format!("{}/00000000000000000007.2026-01-02.audit.jsonl", log.path());
    fs::write(brackets, "[".repeat(1_000_000)).unwrap();
    match measured(&log) {
        Some((peak, status)) => {
            assert_eq!(status, 1);
            assert!(peak < 64 << 20, "{peak} bytes");
        }
        None => println!("skipped: /usr/bin/time is not installed"),
    }
}

#[test]
fn notes_of_any_size_and_number_are_read_in_bounded_memory() {
    let key = Key::new("audit.example/host-1");
    let log = Log::new();
    log.record(&events(3), &["--key", key.path()]);
    let folder = log.segments()[0].with_file_name("checkpoints");
    // Some ninety signatures by keys that are not known, as long as the longest kinds in use.
    let signature = "A".repeat(5_600);
    let lines: Vec<_> = (0..90).map(|by| format!("\u{2014} w{by}.example {signature}\n")).collect();
    let lines = lines.concat();
    let root = "A".repeat(43);
    for size in 1_000..1_300 {
        let note = format!("audit.example/host-1\n{size}\n{root}=\n\n{lines}");
        fs::write(folder.join(format!("{size:020}.note")), note).unwrap();
    }
    match measured(&log) {
        Some((peak, status)) => {
            assert_eq!(status, 1);
            assert!(peak < 64 << 20, "{peak} bytes");
        }
        None => println!("skipped: /usr/bin/time is not installed"),
    }
}

#[test]
fn a_log_is_read_by_as_many_threads_as_asked_with_the_same_report() {
    let Some(data) = shared_data() else { return };
    let log = Log::copy_of(&data.join("golden"));
    let reports = ["1", "2", "7"].map(|jobs| report(&log.verify(&["--jobs", jobs])));
    assert!(reports[0].contains("CONSISTENT"), "{}", reports[0]);
    assert!(reports.iter().all(|other| *other == reports[0]), "{reports:?}");
    assert_eq!(log.verify(&["--jobs", "0"]).status.code(), Some(2));
}

/// The verdict as JSON says it, with the codes of what was found.
fn found(log: &Log, more: &[&str]) -> (String, Vec<String>) {
    let done = log.verify(&[&["--format", "json"], more].concat());
    let json: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let findings = json["findings"].as_array().unwrap().iter();
    let codes = findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect();
    (json["verdict"].as_str().unwrap().to_owned(), codes)
}

#[test]
fn whose_log_it_is_can_be_demanded() {
    let key = Key::new("audit.example/host-1");
    let log = Log::new();
    log.record(&events(5), &["--key", key.path()]);
    let vkey = ["--vkey", &key.vkey];
    let text = report(&log.verify(&vkey));
    assert!(
        text.contains(&format!("  origin    audit.example/host-1, by {}\n", key.vkey)),
        "{text}"
    );
    assert!(text.contains(&format!("  key given {}\n", key.vkey)), "{text}");
    let (_, log_id) = text.split_once("\n  log       ").unwrap();
    let log_id = log_id.lines().next().unwrap();
    let other_id = "0".repeat(32);
    for (demand, name, codes) in [
        ("--origin", "audit.example/host-1", vec![]),
        ("--origin", "audit.example/host-2", vec!["identity_mismatch", "no_checkpoint_by_key"]),
        ("--service", "web.shop-1", vec![]),
        ("--service", "web.shop-2", vec!["identity_mismatch"]),
        ("--log-id", log_id, vec![]),
        ("--log-id", &other_id, vec!["identity_mismatch"]),
    ] {
        let verdict = if codes.is_empty() { "signed" } else { "tampered" };
        let judged = found(&log, &[vkey.as_slice(), &[demand, name]].concat());
        assert_eq!(judged, (verdict.to_owned(), codes.iter().map(ToString::to_string).collect()));
    }
    let (verdict, codes) = found(&log, &["--origin", "audit.example/host-1"]);
    assert_eq!((verdict.as_str(), codes), ("unverifiable", vec!["identity_not_shown".to_owned()]));
    assert_eq!(log.verify(&["--log-id", "ABC"]).status.code(), Some(2));
}

#[test]
fn how_much_of_the_end_is_unsigned_is_said_first_and_can_be_limited() {
    let key = Key::new("audit.example/host-1");
    let log = Log::new();
    log.record(&events(5), &[]);
    let records = log.text().lines().count();
    let vkey = ["--vkey", key.vkey.as_str()];
    let text = report(&log.verify(&vkey));
    let first = text.lines().nth(2).unwrap();
    assert!(first.starts_with(&format!("  unsigned  {records} records at the end")), "{text}");
    let unsigned = |limit: &str| {
        let (_, codes) = found(&log, &[vkey.as_slice(), &["--max-unsigned", limit]].concat());
        codes.contains(&"unsigned_end".to_owned())
    };
    assert!(!unsigned(&records.to_string()) && unsigned(&(records - 1).to_string()));
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    assert!(!unsigned("1h") && unsigned("1s"));
    assert_eq!(log.verify(&["--max-unsigned", "soon"]).status.code(), Some(2));
}
