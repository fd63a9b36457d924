//! `audit show`, as a tired person and a program see it.

#![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails or says why it was skipped"
)]

mod common;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use audit_core::digest::leaf_hash;
use audit_core::{Digest, is_hostile};
use common::{Log, audit, events, shared_data, told};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// Events of many kinds, the third of which says that it is critical.
const MANY: &str = r#"{"event_type":"auth_success","timestamp":"2026-03-01T10:00:00Z","actor":{"user_id":"mira","ip":"192.0.2.1","auth_method":"oidc"},"method":"oidc","path":"/","service_id":"x"}
{"event_type":"auth_failure","timestamp":"2026-03-01T23:59:59.999Z","attempted_user":"root","reason":"no such user","ip":"192.0.2.9","path":"/","service_id":"x"}
{"event_type":"custom","name":"shop.refund","timestamp":"2026-03-02T00:00:00Z","critical":true,"actor":{"user_id":"mira","auth_method":"oidc"},"attributes":{"amount":12.50}}
{"event_type":"seal_verified","timestamp":"2026-03-02T12:00:00Z","shard_id":"s1","worker_id":"w"}
{"event_type":"never_heard_of","timestamp":"2026-03-03T00:00:00+02:00","who":["a","b"]}
"#;

impl Log {
    fn show(&self, more: &[&str]) -> Output {
        audit(&[&["show", self.path()], more].concat(), "")
    }
}

fn many() -> Log {
    let log = Log::new();
    assert_eq!(log.record(MANY, &[]).status.code(), Some(0));
    log
}

fn text(done: &Output) -> String {
    String::from_utf8(done.stdout.clone()).unwrap()
}

/// The numbers of the records that are shown.
fn seqs(done: &Output) -> Vec<u64> {
    let text = text(done);
    let seq = |line: &str| line.trim_start().split(' ').next().unwrap().parse().unwrap();
    text.lines().map(seq).collect()
}

#[test]
fn a_record_is_a_line_and_columns_line_up() {
    let log = many();
    let done = log.show(&["--width", "160"]);
    assert_eq!((done.status.code(), told(&done)), (Some(0), String::new()));
    let shown = text(&done);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines.len(), 8);
    assert!(lines[0].contains("   lifecycle      segment_opened           -"), "{shown}");
    assert_eq!(
        lines[2],
        "     2 2026-03-01 10:00:00Z   authentication auth_success             mira           \
         ip=192.0.2.1 auth_method=oidc method=oidc path=/ service_id=x"
    );
    assert_eq!(
        lines[3],
        "     3 2026-03-01 23:59:59Z * authentication auth_failure             root?          \
         ip=192.0.2.9 reason=\"no such user\" path=/ service_id=x"
    );
    assert_eq!(
        lines[4],
        "     4 2026-03-02 00:00:00Z * custom         custom:shop.refund       mira           \
         auth_method=oidc attributes={amount=12.50}"
    );
    assert_eq!(
        lines[6],
        "     6 2026-03-02 22:00:00Z   custom         never_heard_of           -              \
         who=[a b]"
    );
}

#[test]
fn lines_are_cut_with_a_mark_to_the_columns_that_there_are() {
    let log = many();
    let done = log.show(&["--width", "80"]);
    let shown = text(&done);
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    let third = shown.lines().nth(3).unwrap();
    assert_eq!(
        third,
        "     3 2026-03-01 23:59:59 * auth_failure        root? ip=192.0.2.9 reason=\"no \u{2026}"
    );
    let done = log.show(&[]);
    assert!(!text(&done).contains('\u{2026}'), "{}", text(&done));
    for bad in ["0", "-1", "wide"] {
        assert_eq!(log.show(&[&format!("--width={bad}")]).status.code(), Some(2), "{bad}");
    }
}

#[test]
fn every_filter_shows_what_it_names_and_nothing_else() {
    let log = many();
    let cases: [(&[&str], &[u64]); 24] = [
        (&["--type", "auth_failure"], &[3]),
        (&["--type", "auth_failure", "--type", "never_heard_of"], &[3, 6]),
        (&["--type", "shop.refund"], &[4]),
        (&["--type", "custom"], &[4]),
        (&["--type", "auth"], &[]),
        (&["--category", "authentication"], &[2, 3]),
        (&["--category", "lifecycle", "--category", "vram"], &[0, 1, 5, 7]),
        (&["--category", "custom"], &[4, 6]),
        (&["--actor", "mira"], &[2, 4]),
        (&["--actor", "root"], &[3]),
        (&["--critical"], &[3, 4]),
        (&["--critical", "--category", "custom"], &[4]),
        (&["--seq", "2..3"], &[2, 3]),
        (&["--seq", "6.."], &[6, 7]),
        (&["--seq", "..1"], &[0, 1]),
        (&["--seq", "4"], &[4]),
        (&["--seq", "..6", "-n", "2"], &[5, 6]),
        (&["-n", "0"], &[]),
        (&["-n", "100", "--critical"], &[3, 4]),
        (&["--since", "2026-03-02", "--until", "2026-03-02"], &[4, 5, 6]),
        (&["--until", "2026-03-01"], &[2, 3]),
        (&["--since", "2026-03-02T12:00:00Z", "--until", "2026-03-02T12:00:00Z"], &[5]),
        (&["--until", "2026-03-02T13:00:00+01:00", "--seq", "4.."], &[4, 5]),
        (&["--until", "2026-03-09", "--time", "record"], &[]),
    ];
    for (args, expected) in cases {
        let done = log.show(args);
        assert_eq!(done.status.code(), Some(0), "{args:?}: {}", told(&done));
        assert_eq!(seqs(&done), expected, "{args:?}");
    }
    let refused: [&[&str]; 4] = [
        &["--since", "yesterday"],
        &["--category", "nothing"],
        &["--seq", "one..two"],
        &["-n", "-1"],
    ];
    for args in refused {
        assert_eq!(log.show(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn the_stored_lines_come_out_as_they_are() {
    let log = many();
    let done = log.show(&["--format", "json"]);
    assert_eq!(text(&done), log.text());
    let done = log.show(&["--format", "json", "--type", "auth_failure"]);
    assert_eq!(text(&done).trim_end(), log.text().lines().nth(3).unwrap());
}

/// Changes a byte in the middle of a record of a log in one segment, and gives the record's number.
fn tamper(log: &Log) -> u64 {
    let segment = log.segments().pop().unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    let at = bytes.len() / 2 + memchr::memmem::find(&bytes[bytes.len() / 2..], b"\"w\"").unwrap();
    bytes[at + 1] = b'x';
    fs::remove_file(&segment).unwrap();
    fs::write(&segment, &bytes).unwrap();
    u64::try_from(memchr::memchr_iter(b'\n', &bytes[..at]).count()).unwrap()
}

#[test]
fn a_changed_record_stands_out_and_the_rest_is_shown() {
    let log = Log::new();
    log.record(&events(60), &[]);
    let bad = tamper(&log);
    for filter in [&[][..], &["--critical"], &["-n", "3"], &["--seq", "0"], &["--type", "none"]] {
        let done = log.show(filter);
        assert_eq!(done.status.code(), Some(1), "{filter:?}");
        let shown = text(&done);
        let faults: Vec<_> = shown.lines().filter(|line| line.starts_with('!')).collect();
        let place = format!("00Z.audit.jsonl:{} hash_mismatch at byte ", bad + 1);
        let place = place.trim_start_matches("00Z");
        assert_eq!(faults.len(), 2, "{filter:?}: {shown}");
        assert!(faults[0].contains(place), "{}", faults[0]);
        assert!(faults[1].starts_with(&format!("{bad:!>6} ")), "{}", faults[1]);
        assert!(faults[1].contains("worker_id=x"), "{}", faults[1]);
        assert!(told(&done).contains("audit: 1 fault: "), "{}", told(&done));
        assert!(told(&done).contains(place), "{}", told(&done));
    }
    let shown = text(&log.show(&["--width", "80"]));
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines.len(), 63 + 1);
    let at = usize::try_from(bad).unwrap();
    assert!(lines[at].starts_with("!!!!!! ") && lines[at].contains("hash_mismatch"), "{shown}");
    let done = log.show(&["--format", "json"]);
    assert_eq!((done.status.code(), text(&done).lines().count()), (Some(1), 62));
    assert!(told(&done).contains("hash_mismatch"), "{}", told(&done));
}

#[test]
fn the_exit_status_is_that_of_the_verifier() {
    let log = many();
    let segment = log.segments().pop().unwrap();
    let whole = fs::read(&segment).unwrap();
    let rewrite = |bytes: &[u8]| {
        fs::remove_file(&segment).unwrap();
        fs::write(&segment, bytes).unwrap();
    };
    // Cut within the last record but one, and the last record lost.
    let cut = whole.len() - 600;
    rewrite(&whole[..cut]);
    let done = log.show(&[]);
    assert_eq!((done.status.code(), log.verify(&[]).status.code()), (Some(4), Some(4)));
    assert!(text(&done).lines().last().unwrap().contains(" torn_tail at byte "));
    // The next writer accounts for it.
    log.record(&events(1), &[]);
    let done = log.show(&[]);
    assert_eq!((done.status.code(), told(&done)), (Some(0), String::new()));
    assert!(text(&done).contains("\n------ "), "{}", text(&done));
    assert!(text(&done).contains(" tail_recovered: "), "{}", text(&done));

    let empty = Log::new();
    assert_eq!(empty.show(&[]).status.code(), Some(2));
    assert!(told(&empty.show(&[])).contains("cannot look at"));
    fs::create_dir(empty.path()).unwrap();
    assert_eq!(empty.show(&[]).status.code(), Some(3));
}

/// Runs the command on a terminal of so many columns.
fn on_terminal(args: &[&str], columns: u16, no_color: &str) -> String {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let terminal = fs::File::options()
        .read(true)
        .write(true)
        .open(Path::new(OsStr::from_bytes(name.to_bytes())));
    let terminal = terminal.unwrap();
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal, size).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_audit"))
        .args(args)
        .env("NO_COLOR", no_color)
        .stdin(Stdio::null())
        .stdout(terminal)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut shown = Vec::new();
    // A terminal that nobody writes to any more fails to be read.
    let _ended = fs::File::from(master).read_to_end(&mut shown);
    child.wait().unwrap();
    String::from_utf8(shown).unwrap().replace("\r\n", "\n")
}

/// Text without the sequences that set colours.
fn without_colours(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let mut plain = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (codes, rest) = piece.split_once('m').unwrap();
        assert!(codes.bytes().all(|byte| byte.is_ascii_digit() || byte == b';'), "{piece}");
        plain.push_str(rest);
    }
    plain
}

#[test]
fn a_terminal_has_colours_and_its_own_width() {
    let log = Log::new();
    log.record(&events(60), &[]);
    tamper(&log);
    let args = ["show", log.path()];
    for columns in [80, 160] {
        let shown = on_terminal(&args, columns, "");
        let plain = without_colours(&shown);
        assert!(plain.lines().all(|line| line.chars().count() <= columns.into()), "{plain}");
        let bar = plain.lines().find(|line| line.starts_with("!!!!!!")).unwrap();
        assert_eq!(bar.chars().count(), usize::from(columns), "a bar from side to side");
        assert!(shown.contains("\u{1b}[1m\u{1b}[97m\u{1b}[41m!!!!!!"), "{shown}");
        let width = columns.to_string();
        let piped = log.show(&["--color", "always", "--width", &width]);
        assert_eq!(text(&piped), shown);
        let piped = log.show(&["--width", &width]);
        assert!(!text(&piped).contains('\u{1b}'));
        assert!(!on_terminal(&args, columns, "1").contains('\u{1b}'));
        let never = [args.as_slice(), &["--color", "never"]].concat();
        assert!(!on_terminal(&never, columns, "").contains('\u{1b}'));
    }
}

#[test]
fn a_followed_log_is_shown_across_rotation_until_nobody_reads() {
    let log = Log::new();
    let mut show = Command::new(env!("CARGO_BIN_EXE_audit"))
        .args(["show", log.path(), "--follow"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut warning = String::new();
    BufReader::new(show.stderr.as_mut().unwrap()).read_line(&mut warning).unwrap();
    assert!(warning.contains("waiting for "), "{warning}");
    let mut record = Command::new(env!("CARGO_BIN_EXE_audit"))
        .args(["record", "--dir", log.path(), "--service", "web.shop-1"])
        .args(["--rotate", "size:3000", "--flush", "immediate"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(show.stdout.take().unwrap()).lines();
    let mut input = record.stdin.take().unwrap();
    let mut shown = Vec::new();
    for number in 0..60 {
        // One after the other, so that the writer is never ahead of who follows it.
        let event = events(60);
        writeln!(input, "{}", event.lines().nth(number).unwrap()).unwrap();
        let wanted = if number % 3 == 2 {
            format!("=t{} ", number + 1)
        } else {
            format!("=s{} ", number + 1)
        };
        loop {
            shown.push(lines.next().unwrap().unwrap());
            if shown.last().unwrap().contains(&wanted) {
                break;
            }
        }
    }
    drop(input);
    assert!(record.wait().unwrap().success());
    while !shown.last().unwrap().contains("log_closed") {
        shown.push(lines.next().unwrap().unwrap());
    }
    assert!(log.segments().len() > 5, "it was rotated");
    assert_eq!(shown.join("\n") + "\n", text(&log.show(&[])));
    // It sits there with nothing to do, and notices.
    drop(lines);
    let done = show.wait_with_output().unwrap();
    assert_eq!((done.status.code(), told(&done)), (Some(0), String::new()));
}

#[test]
fn what_is_followed_may_begin_with_the_last_records() {
    let log = Log::new();
    log.record(&events(20), &[]);
    let mut show = Command::new(env!("CARGO_BIN_EXE_audit"))
        .args(["show", log.path(), "--follow", "-n", "2"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(show.stdout.take().unwrap()).lines();
    let mut seq = || -> u64 {
        let line = lines.next().unwrap().unwrap();
        line.trim_start().split(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!([seq(), seq()], [21, 22]);
    log.record(&events(1), &[]);
    assert_eq!([seq(), seq(), seq(), seq()], [23, 24, 25, 26]);
    drop(lines);
    assert_eq!(show.wait().unwrap().code(), Some(0));
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let log = Log::new();
    log.record(&events(2_000), &[]);
    for format in ["human", "json"] {
        let mut show = Command::new(env!("CARGO_BIN_EXE_audit"))
            .args(["show", log.path(), "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(show.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(first.contains("segment_opened"), "{first}");
        let done = show.wait_with_output().unwrap();
        assert_eq!((done.status.code(), told(&done)), (Some(0), String::new()));
    }
}

/// Appends a record that is linked by hand, whatever its event holds.
fn link(segment: &mut Vec<u8>, seq: u64, event: &[u8], prev_hash: Digest) -> Digest {
    let start = segment.len();
    let head = format!(
        r#"{{"v":1,"seq":{seq},"audit_id":"audit-evil-{seq:016x}","timestamp":"2026-01-02T00:00:00.000000000Z","service_id":"evil","event":"#
    );
    segment.extend(head.bytes());
    segment.extend(event);
    segment.extend(format!(r#","prev_hash":"{prev_hash}""#).bytes());
    let hash = leaf_hash(&segment[start..]);
    segment.extend(format!(",\"hash\":\"{hash}\"}}\n").bytes());
    hash
}

/// A log of these events, after the opening records.
fn linked(events: &[&[u8]]) -> Log {
    let log = Log::new();
    fs::create_dir(log.path()).unwrap();
    let opening: [&[u8]; 2] = [
        br#"{"event_type":"segment_opened","log_id":"0123456789abcdef0123456789abcdef","merkle_frontier":[]}"#,
        br#"{"event_type":"log_opened","writer":"evil","flush_mode":"immediate","unsynced_max_bytes":0}"#,
    ];
    let mut segment = Vec::new();
    let mut prev_hash = Digest::ZERO;
    for (seq, event) in (0..).zip(opening.iter().chain(events)) {
        prev_hash = link(&mut segment, seq, event, prev_hash);
    }
    let name = format!("{}/00000000000000000000.2026-01-02.audit.jsonl", log.path());
    fs::write(name, segment).unwrap();
    log
}

/// Asserts that text commands no terminal and hides nothing.
fn assert_inert(text: &str, from: &str) {
    for line in text.lines() {
        let hostile = line.chars().find(|&c| is_hostile(c));
        assert_eq!(hostile, None, "{from}: {line:?}");
    }
}

fn assert_strings_inert(value: &serde_json::Value) {
    match value {
        serde_json::Value::String(text) => {
            assert_inert(text, "verify --format json");
            assert!(!text.contains('\n'), "{text}");
        }
        serde_json::Value::Array(items) => items.iter().for_each(assert_strings_inert),
        serde_json::Value::Object(members) => {
            members.keys().for_each(|key| assert_inert(key, "a key"));
            members.values().for_each(assert_strings_inert);
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

/// Puts files with hostile names into a log.
fn plant_names(log: &Log) {
    for name in [
        "new\nline.audit.jsonl".as_bytes(),
        b"\x1b]0;owned\x07\x1b[2J.audit.jsonl",
        "\u{202e}lnosj.tidua.audit.jsonl".as_bytes(),
        b"\xff\xfe\x9b2J.audit.jsonl",
        b"\x1b[31mred",
        b"00000000000000000009.2026-01-02.audit.jsonl\n",
    ] {
        fs::write(Path::new(log.path()).join(OsStr::from_bytes(name)), "x\x1b[2J\n").unwrap();
    }
}

const HOSTILE: [&str; 9] = [
    r#"{"event_type":"auth_failure","attempted_user":"root\n     9 2026-01-02 00:00:00   log_closed","reason":"\u001b[2J\u001b]0;owned\u0007"}"#,
    "{\"event_type\":\"auth_failure\",\"reason\":\"\u{9b}2J\u{202e}txt\u{2028}\u{feff}\u{e0041}\",\"ip\":\"\\r\"}",
    r#"{"event_type":"\u001b[31mauth_success\u001b[0m","a\u000ab":1,"\u202e":{"\u001b[2J":["\u0000"]}}"#,
    "{\"event_type\":\"x\u{2029}y\u{200b}\",\"k\u{202a}\":\"\u{fffe}\"}",
    r#"{"event_type":"custom","name":"a\u001b[2Jb\nc","critical":true,"attributes":{"\n":"\n"}}"#,
    r#"{"event_type":"auth_success","timestamp":"\u001b[2J","actor":{"user_id":"\u001b[8m","\u009b":"\u202e"}}"#,
    "{\"event_type\":\"raw\",\"a\":\"\u{1b}[2J\"}",
    "{\"event_type\":\"raw\u{7}\",\"a\":\"\u{0}\"}",
    "{\"event_type\":\"raw\",\"a\":\"one\ntwo\"}",
];

#[test]
fn a_hostile_log_commands_no_terminal_and_fakes_no_line() {
    let events = HOSTILE.map(str::as_bytes);
    let log = linked(&events);
    plant_names(&log);
    let done = log.show(&["--width", "full"]);
    assert_eq!(done.status.code(), Some(1));
    let shown = text(&done);
    assert_inert(&shown, "show");
    assert_inert(&told(&done), "what show tells");
    // Two opening records, six events, two with raw controls, one torn apart by its line feed, and
    // four names.
    let records = shown.lines().filter(|line| line.starts_with("     ")).count();
    assert_eq!((records, shown.lines().count()), (8, 8 + 2 + 2 + 4), "{shown}");
    for (seq, line) in (0..).zip(shown.lines().filter(|line| line.starts_with("     "))) {
        assert!(line.starts_with(&format!("{seq:>6} 2026-01-02 00:00:00Z ")), "{line}");
    }
    for narrow in ["1", "7", "30", "80", "160"] {
        let done = log.show(&["--color", "always", "--width", narrow]);
        assert_inert(&without_colours(&text(&done)), narrow);
    }
    let on_terminal = on_terminal(&["show", log.path(), "--format", "json"], 80, "1");
    assert_inert(&on_terminal, "json on a terminal");
    assert_eq!(on_terminal.lines().count(), 8);

    let verified = log.verify(&[]);
    assert_eq!(verified.status.code(), Some(1));
    assert_inert(&text(&verified), "verify");
    let verified = log.verify(&["--format", "json"]);
    assert_inert(&text(&verified), "verify --format json");
    assert_strings_inert(&serde_json::from_slice(&verified.stdout).unwrap());
}

#[test]
fn a_line_that_is_no_text_and_a_directory_with_a_hostile_name_are_inert_too() {
    let log = linked(&[b"{\"event_type\":\"x\",\"a\":\"\xff\xfe\x1b[2J\"}", b"\x1b[2J\x9b"]);
    for done in [log.show(&[]), log.verify(&[])] {
        assert_eq!(done.status.code(), Some(1));
        assert_inert(&text(&done), "bytes");
        assert_inert(&told(&done), "bytes");
    }
    let name = "/nowhere/\u{1b}[2J\n\u{202e}";
    for verb in ["show", "verify"] {
        let done = audit(&[verb, name], "");
        assert_eq!(done.status.code(), Some(2));
        assert_inert(&told(&done), verb);
        assert_eq!(told(&done).lines().count(), 1);
    }
}

/// The peak memory of the command in bytes, as the kernel counts it.
fn peak(args: &[&str]) -> Option<u64> {
    let time = Command::new("/usr/bin/time")
        .args(["-f", "%M", env!("CARGO_BIN_EXE_audit")])
        .args(args)
        .stdout(Stdio::null())
        .output()
        .ok()?;
    let told = String::from_utf8_lossy(&time.stderr).into_owned();
    Some(1024 * told.lines().last()?.parse::<u64>().ok()?)
}

#[test]
fn memory_does_not_grow_with_the_log() {
    let event = format!(r#"{{"event_type":"big","a":"{}"}}"#, "x".repeat(60_000));
    let log = linked(&vec![event.as_bytes(); 2_000]);
    let damaged = Log::copy_of(Path::new(log.path()));
    let segment = damaged.segments().pop().unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    let feeds: Vec<_> = memchr::memchr_iter(b'\n', &bytes).collect();
    for feed in feeds {
        bytes[feed - 100] ^= 1;
    }
    fs::write(&segment, bytes).unwrap();
    for args in [
        &["show", log.path()][..],
        &["show", log.path(), "--format", "json", "-n", "20"],
        &["show", damaged.path(), "-n", "20", "--width", "200"],
    ] {
        match peak(args) {
            Some(peak) => assert!(peak < 32 << 20, "{args:?}: {peak} bytes"),
            None => println!("skipped: /usr/bin/time is not installed"),
        }
    }
}

#[test]
fn a_real_attack_is_shown_line_by_line() {
    let Some(data) = shared_data() else { return };
    let log = Log::copy_of(&data.join("golden"));
    let done = log.show(&[]);
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    let expected: Vec<u64> = (0..1_048).collect();
    assert_eq!(seqs(&done), expected);
    let critical = seqs(&log.show(&["--critical"]));
    assert_eq!(critical.len(), 620);
    assert_eq!(text(&log.show(&["--format", "json"])), log.text());
    let root = log.show(&["--actor", "root", "--format", "json"]);
    let named = log.text().lines().filter(|line| line.contains(r#"":"root""#)).count();
    assert_eq!(text(&root).lines().count(), named);
}

#[test]
fn the_events_that_can_be_recorded_are_listed() {
    let table = text(&audit(&["events"], ""));
    let json = audit(&["events", "--format", "json"], "");
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let rows = json["events"].as_array().unwrap();
    assert_eq!((rows.len(), json["lifecycle"].as_array().unwrap().len()), (36, 15));
    let critical = rows.iter().filter(|row| row["criticality"] == "critical").count();
    assert_eq!(critical, 10);
    for row in rows {
        let mark = if row["criticality"] == "critical" { '*' } else { ' ' };
        let mark = if row["criticality"] == "stated" { '!' } else { mark };
        let line = format!("{mark} {} ", row["event_type"].as_str().unwrap());
        assert!(table.lines().any(|shown| shown.starts_with(&line)), "{line}");
    }
    assert!(table.contains("\n    attempted_user?, reason, ip, path, service_id\n"), "{table}");
    assert!(table.contains("replicas:u32, gpu_devices:u32[]\n"), "{table}");
}
