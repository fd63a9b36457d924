//! Keys and checkpoints: made, used and refused by the command.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use common::{Key, Log, audit, events, told};
use tempfile::TempDir;

fn checkpoint(log: &Log, key: &Key) -> (i32, String, String) {
    let done = audit(&["checkpoint", log.path(), "--key", key.path()], "");
    let printed = String::from_utf8(done.stdout.clone()).unwrap();
    (done.status.code().unwrap(), printed, told(&done))
}

fn notes(log: &Log) -> Vec<PathBuf> {
    let folder = Path::new(log.path()).join("checkpoints");
    let mut notes: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    notes.sort();
    notes
}

/// The second line of a checkpoint.
fn size(note: &str) -> usize {
    note.lines().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_log_is_signed_to_its_last_byte_when_it_is_closed() {
    let (log, key) = (Log::new(), Key::new("audit.example/host-1"));
    let done = log.record(&events(7), &["--key", key.path()]);
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    let records = log.text().lines().count();
    let said = format!("signed   {records} records of audit.example/host-1\n");
    assert!(told(&done).ends_with(&said), "{}", told(&done));
    let [note] = &notes(&log)[..] else { panic!("{:?}", notes(&log)) };
    let text = fs::read_to_string(note).unwrap();
    assert_eq!(size(&text), records);
    assert!(text.starts_with("audit.example/host-1\n"), "{text}");
    assert!(log.text().contains(&format!(r#""vkey":"{}""#, key.vkey)));

    // Nothing is new, so it is that checkpoint again.
    let before = log.text();
    assert_eq!(checkpoint(&log, &key), (0, text, String::new()));
    assert_eq!(log.text(), before);
}

#[test]
fn a_private_key_is_for_its_owner_alone_and_is_never_written_over() {
    let (log, key) = (Log::new(), Key::new("audit.example/host-1"));
    let secret = fs::read_to_string(&key.path).unwrap();
    assert_eq!(fs::metadata(&key.path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(secret.starts_with("PRIVATE+KEY+audit.example/host-1+"));

    let again = audit(&["keygen", "--name", "audit.example/host-2", "--out", key.path()], "");
    assert_eq!(again.status.code(), Some(2));
    assert!(told(&again).contains("File exists"), "{}", told(&again));
    assert_eq!(fs::read_to_string(&key.path).unwrap(), secret);

    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(&key.path, fs::Permissions::from_mode(mode)).unwrap();
        let done = log.record(&events(1), &["--key", key.path()]);
        assert_eq!(done.status.code(), Some(2));
        assert!(told(&done).contains("chmod 600"), "{}", told(&done));
        assert!(!told(&done).contains("PRIVATE"));
    }
    assert!(
        !Path::new(log.path()).exists(),
        "nothing is recorded without the key that was asked for"
    );
}

#[test]
fn what_is_no_key_of_a_log_is_refused() {
    let log = Log::new();
    for name in ["a+b", "a b", ""] {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("k");
        let done = audit(&["keygen", "--name", name, "--out", out.to_str().unwrap()], "");
        assert_eq!(done.status.code(), Some(2), "{name:?}");
        assert!(!out.exists());
    }
    let key = Key::new("audit.example/host-1");
    let secret = fs::read_to_string(&key.path).unwrap();
    for text in [String::new(), key.vkey.clone(), secret.replace("host-1", "host-2")] {
        fs::write(&key.path, &text).unwrap();
        let done = log.record(&events(1), &["--key", key.path()]);
        assert_eq!(done.status.code(), Some(2), "{text}");
        assert!(told(&done).contains("holds no private key"), "{}", told(&done));
    }
}

#[test]
fn an_older_copy_of_a_log_is_not_signed_and_one_is_told_how_to_go_on() {
    let (log, key) = (Log::new(), Key::new("audit.example/host-1"));
    log.record(&events(3), &["--key", key.path()]);
    let older = Log::copy_of_segments(&log);
    log.record(&events(3), &["--key", key.path()]);
    fs::create_dir(Path::new(older.path()).join("checkpoints")).unwrap();
    for note in notes(&log) {
        let to = Path::new(older.path()).join("checkpoints").join(note.file_name().unwrap());
        fs::copy(note, to).unwrap();
    }
    let before = older.text();
    let (code, printed, said) = checkpoint(&older, &key);
    assert_eq!((code, printed.as_str()), (2, ""));
    assert!(said.contains("an older copy of it must not go on"), "{said}");
    let done = older.record(&events(1), &["--key", key.path()]);
    assert_eq!(done.status.code(), Some(2));
    assert!(told(&done).contains("begin a new log that continues it"), "{}", told(&done));
    assert_eq!(older.text(), before);
}

#[test]
fn a_log_is_not_signed_with_the_key_of_another() {
    let (log, key, other) =
        (Log::new(), Key::new("audit.example/host-1"), Key::new("audit.example/host-2"));
    log.record(&events(3), &["--key", key.path()]);
    let (code, _, said) = checkpoint(&log, &other);
    assert_eq!(code, 2);
    assert!(said.contains("records 0 to 5: they are sealed with another key"), "{said}");
}

#[test]
fn there_is_nothing_to_sign_where_there_is_no_log() {
    let (log, key) = (Log::new(), Key::new("audit.example/host-1"));
    let (code, _, said) = checkpoint(&log, &key);
    assert_eq!(code, 2);
    assert!(said.contains("cannot find the directory"), "{said}");
    fs::create_dir(log.path()).unwrap();
    let (code, _, said) = checkpoint(&log, &key);
    assert_eq!(code, 2);
    assert!(said.contains("no record yet"), "{said}");

    let (mut child, stdin, _) = log.hold();
    let (code, _, said) = checkpoint(&log, &key);
    assert_eq!(code, 2);
    assert!(said.contains("is open in another writer"), "{said}");
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

/// A signed log of a few segments, its key, and proofs in a directory.
struct Proven {
    log: Log,
    key: Key,
    out: TempDir,
}

impl Proven {
    fn new() -> Self {
        let (log, key) = (Log::new(), Key::new("audit.example/host-1"));
        let done = log.record(&events(40), &["--key", key.path(), "--rotate", "size:3000"]);
        assert_eq!(done.status.code(), Some(0), "{}", told(&done));
        Self { log, key, out: tempfile::tempdir().unwrap() }
    }

    fn out(&self) -> &str {
        self.out.path().to_str().unwrap()
    }

    /// Runs `audit prove`; where it says that the proof is, or why there is none.
    fn prove(&self, args: &[&str]) -> Result<PathBuf, (i32, String)> {
        let args = [&["prove", self.log.path(), "--out", self.out()], args].concat();
        let done = audit(&args, "");
        let printed = String::from_utf8(done.stdout.clone()).unwrap();
        match (done.status.code().unwrap(), printed.lines().last()) {
            (0, Some(path)) => Ok(PathBuf::from(path)),
            (code, _) => Err((code, told(&done))),
        }
    }

    fn check(&self, proof: &Path, more: &[&str]) -> (i32, String) {
        let args = ["check-proof", proof.to_str().unwrap(), "--vkey", &self.key.vkey];
        let done = audit(&[&args[..], more].concat(), "");
        (
            done.status.code().unwrap(),
            String::from_utf8(done.stdout.clone()).unwrap() + &told(&done),
        )
    }
}

#[test]
fn each_record_is_proven_without_the_log() {
    let proven = Proven::new();
    let records = proven.log.text().lines().count();
    for seq in 0..records {
        let proof = proven.prove(&[&seq.to_string()]).unwrap();
        assert!(fs::metadata(&proof).unwrap().len() < 1_500);
        let line = proven.log.text().lines().nth(seq).unwrap().to_owned() + "\n";
        assert_eq!(fs::read_to_string(proof.with_extension("json")).unwrap(), line);
        let (code, said) = proven.check(&proof, &[]);
        assert_eq!(code, 0, "{said}");
        let expected = format!("PROVEN: record {seq} is one of the log's records\n");
        assert!(said.starts_with(&expected), "{said}");
    }
    let (code, said) = proven.prove(&[&records.to_string()]).unwrap_err();
    assert_eq!(code, 2);
    assert!(said.contains("no checkpoint covers record"), "{said}");
    let (code, said) = proven.prove(&["0"]).unwrap_err();
    assert_eq!(code, 2);
    assert!(said.contains("File exists"), "what is there is not written over: {said}");
}

#[test]
fn a_proof_or_a_record_with_one_byte_changed_proves_nothing() {
    let proven = Proven::new();
    let proof = proven.prove(&["7"]).unwrap();
    let record = proof.with_extension("json");
    for path in [&proof, &record] {
        let whole = fs::read(path).unwrap();
        // Of the record also a byte behind its hash field; its line feed is not part of it.
        for at in (0..whole.len() - 1).step_by(7) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(path, &changed).unwrap();
            let (code, said) = proven.check(&proof, &[]);
            assert!(code == 1 || code == 3, "byte {at} of {}: {code} {said}", path.display());
        }
        fs::write(path, whole).unwrap();
    }
    assert_eq!(proven.check(&proof, &[]).0, 0);

    let other = proven.prove(&["8"]).unwrap();
    let (code, said) =
        proven.check(&proof, &["--record", other.with_extension("json").to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(said.contains("the record has seq 8, and the proof is about 7"), "{said}");

    let stranger = Key::new("audit.example/host-1");
    let args = ["check-proof", proof.to_str().unwrap(), "--vkey", &stranger.vkey];
    assert_eq!(audit(&args, "").status.code(), Some(3), "an unknown key decides nothing");
}

#[test]
fn a_proof_is_checked_by_a_policy_too() {
    let proven = Proven::new();
    let proof = proven.prove(&["3"]).unwrap();
    let policy = proven.out.path().join("policy");
    for (rest, expected) in
        [("quorum none\n".to_owned(), 0), (format!("witness w1 {WITNESS}\nquorum w1\n"), 3)]
    {
        fs::write(&policy, format!("log {}\n{rest}", proven.key.vkey)).unwrap();
        let args = ["check-proof", proof.to_str().unwrap(), "--policy", policy.to_str().unwrap()];
        let done = audit(&args, "");
        assert_eq!(done.status.code(), Some(expected), "{rest}{}", told(&done));
    }
}

#[test]
fn a_log_that_only_grew_is_proven_and_another_is_not() {
    let proven = Proven::new();
    let older = &notes(&proven.log)[1];
    let proof = proven.prove(&["--since", older.to_str().unwrap()]).unwrap();
    let (code, said) = proven.check(&proof, &["--since", older.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("records are those of the older checkpoint"), "{said}");
    let first = &notes(&proven.log)[0];
    let (code, said) = proven.check(&proof, &["--since", first.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(said.contains("the proof begins at size"), "{said}");

    // Another history under the same key.
    let other = Proven { log: Log::new(), key: proven.key, out: tempfile::tempdir().unwrap() };
    other.log.record(&events(60), &["--key", other.key.path()]);
    let (code, said) = other.prove(&["--since", older.to_str().unwrap()]).unwrap_err();
    assert_eq!(code, 1);
    assert!(said.contains("does not bear out its checkpoint"), "{said}");
}

#[test]
fn a_log_that_was_changed_gives_no_proof() {
    let proven = Proven::new();
    let segment = &proven.log.segments()[1];
    let bytes = fs::read(segment).unwrap();
    fs::set_permissions(segment, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(segment, String::from_utf8(bytes).unwrap().replacen("\"s", "\"t", 1)).unwrap();
    let (code, said) = proven.prove(&["0"]).unwrap_err();
    assert_eq!(code, 1);
    assert!(said.contains("is not whole up to its checkpoint"), "{said}");
}

/// The exit status of `audit verify`, and what it printed.
fn verified(log: &Log, args: &[&str]) -> (i32, String) {
    let done = log.verify(args);
    let printed = String::from_utf8(done.stdout.clone()).unwrap() + &told(&done);
    (done.status.code().unwrap(), printed)
}

/// A log with a checkpoint from its middle kept elsewhere, and one at its end.
fn signed_twice(key: &Key) -> (Log, TempDir, Vec<String>) {
    let log = Log::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let mut kept = Vec::new();
    for name in ["older", "newest"] {
        let done = log.record(&events(4), &["--key", key.path()]);
        assert_eq!(done.status.code(), Some(0), "{}", told(&done));
        let path = elsewhere.path().join(name);
        fs::copy(notes(&log).last().unwrap(), &path).unwrap();
        kept.push(path.to_str().unwrap().to_owned());
    }
    (log, elsewhere, kept)
}

#[test]
fn what_is_trusted_decides_what_a_log_is_called() {
    let (key, other) = (Key::new("audit.example/host-1"), Key::new("audit.example/host-1"));
    let (log, _elsewhere, kept) = signed_twice(&key);
    let [older, newest] = &kept[..] else { panic!("{kept:?}") };
    for (args, code, word) in [
        (vec![], 0, "CONSISTENT"),
        (vec!["--vkey", &key.vkey], 0, "SIGNED"),
        (vec!["--vkey", &other.vkey], 3, "UNVERIFIABLE"),
        (vec!["--pin", older], 0, "CONSISTENT"),
        (vec!["--pin", newest], 0, "INTACT"),
        (vec!["--since", newest], 0, "INTACT"),
        (vec!["--pin", newest, "--vkey", &key.vkey], 0, "INTACT"),
        (vec!["--pin", newest, "--vkey", &other.vkey], 3, "UNVERIFIABLE"),
        (vec!["--require", "signed"], 3, "UNVERIFIABLE"),
        (vec!["--require", "signed", "--vkey", &key.vkey], 0, "SIGNED"),
        (vec!["--require", "intact", "--vkey", &key.vkey], 3, "UNVERIFIABLE"),
        (vec!["--require", "intact", "--pin", newest], 0, "INTACT"),
    ] {
        let (status, printed) = verified(&log, &args);
        assert_eq!(status, code, "{args:?}\n{printed}");
        assert!(printed.starts_with(&format!("{word}: ")), "{args:?}\n{printed}");
    }
    let (_, printed) = verified(&log, &["--since", older]);
    assert!(printed.contains("\n  since     "), "{printed}");
}

#[test]
fn a_deleted_folder_and_an_older_copy_are_found_with_what_was_kept() {
    let key = Key::new("audit.example/host-1");
    let (log, _elsewhere, kept) = signed_twice(&key);
    let newest_segment = log.segments().pop().unwrap();
    fs::remove_file(newest_segment).unwrap();
    fs::remove_file(notes(&log).pop().unwrap()).unwrap();
    let (status, printed) = verified(&log, &["--vkey", &key.vkey]);
    assert_eq!((status, printed.contains("rollback")), (0, true), "{printed}");
    let (status, printed) = verified(&log, &["--pin", &kept[1]]);
    assert_eq!((status, printed.contains("pin_beyond_end")), (1, true), "{printed}");

    fs::remove_dir_all(Path::new(log.path()).join("checkpoints")).unwrap();
    let (status, printed) = verified(&log, &["--pin", &kept[0]]);
    assert_eq!((status, printed.contains("checkpoint_missing")), (1, true), "{printed}");
}

/// The witness of the specification's example.
const WITNESS: &str = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X";

#[test]
fn a_policy_asks_for_witnesses() {
    let key = Key::new("audit.example/host-1");
    let (log, elsewhere, _) = signed_twice(&key);
    let path = elsewhere.path().join("policy");
    let policy = path.to_str().unwrap();
    fs::write(policy, format!("log {}\nwitness w1 {WITNESS}\nquorum w1\n", key.vkey)).unwrap();
    let (status, printed) = verified(&log, &["--policy", policy]);
    assert_eq!((status, printed.contains("quorum_not_met")), (3, true), "{printed}");
    let not_before = ["--policy", policy, "--not-before", "2026-01-02T00:00:00.5Z"];
    assert_eq!(verified(&log, &not_before).0, 3);

    fs::write(policy, format!("witness w1 {WITNESS}\nquorum w1\n")).unwrap();
    let (status, printed) = verified(&log, &["--policy", policy]);
    assert_eq!((status, printed.contains("names no log")), (2, true), "{printed}");
}

#[test]
fn what_cannot_be_used_is_refused_before_anything_is_looked_at() {
    let key = Key::new("audit.example/host-1");
    let (log, elsewhere, _) = signed_twice(&key);
    let junk = elsewhere.path().join("junk");
    fs::write(&junk, "a note\n").unwrap();
    let junk = junk.to_str().unwrap();
    let cases: [&[&str]; 9] = [
        &["--pin", junk],
        &["--pin", "/nonexistent"],
        &["--since", junk],
        &["--policy", junk],
        &["--vkey", "nonsense"],
        &["--vkey", WITNESS],
        &["--not-before", "2026-01-02T00:00:00Z"],
        &["--not-before", "yesterday", "--policy", junk],
        &["--require", "torn"],
    ];
    for args in cases {
        let (status, printed) = verified(&log, args);
        assert_eq!(status, 2, "{args:?}\n{printed}");
    }
}

#[test]
fn a_restored_directory_is_not_signed_where_a_sink_knows_better() {
    let (log, key) = (Log::new(), Key::new("audit.example/host-1"));
    let elsewhere = tempfile::tempdir().unwrap();
    let kept = elsewhere.path().join("newest.note");
    let got = elsewhere.path().join("got");
    let command = format!("cat >> {}", got.display());
    let args = ["--key", key.path(), "--sink-file", kept.to_str().unwrap()];
    let with_command = [&args[..], &["--sink-command", &command]].concat();
    log.record(&events(3), &with_command);
    let first = fs::read_to_string(&kept).unwrap();
    assert_eq!(fs::read_to_string(&got).unwrap(), first);

    let backup = Log::copy_of_segments(&log);
    fs::create_dir(Path::new(backup.path()).join("checkpoints")).unwrap();
    for note in notes(&log) {
        let to = Path::new(backup.path()).join("checkpoints").join(note.file_name().unwrap());
        fs::copy(note, to).unwrap();
    }
    log.record(&events(3), &args);
    assert!(size(&fs::read_to_string(&kept).unwrap()) > size(&first));

    let done = backup.record(&events(1), &args);
    assert_eq!(done.status.code(), Some(2));
    assert!(told(&done).contains("begin a new log that continues it"), "{}", told(&done));
    let done = log.record(&events(1), &["--key", key.path(), "--sink-command", "exit 1"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(told(&done).contains("the last checkpoint did not get out: sh: exit status: 1"));
}

/// A sink that hangs: a pipe that nobody reads, and a command that does not end.
#[test]
fn a_sink_that_hangs_at_the_end_is_named_and_the_command_ends() {
    let (log, key) = (Log::new(), Key::new("audit.example/host-1"));
    let done = log.record(&events(1), &["--key", key.path(), "--sink-command", "exec sleep 100"]);
    assert_eq!(done.status.code(), Some(2), "{}", told(&done));
    assert!(told(&done).contains("the last checkpoint did not get out: sh: "), "{}", told(&done));
    let elsewhere = tempfile::tempdir().unwrap();
    let pipe = elsewhere.path().join("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let sink = ["--key", key.path(), "--sink-file", pipe.to_str().unwrap()];
    let done = log.record(&events(1), &sink);
    assert_eq!(done.status.code(), Some(2), "{}", told(&done));
    assert!(told(&done).contains("is no file"), "{}", told(&done));
}

#[test]
fn a_log_goes_on_with_another_key_of_its_name_alone() {
    let log = Log::new();
    let (old, new) = (Key::new("audit.example/host-1"), Key::new("audit.example/host-1"));
    let other = Key::new("audit.example/host-2");
    log.record(&events(3), &["--key", old.path()]);
    let rotate = |to: &Key| {
        let args = ["rotate-key", log.path(), "--key", old.path(), "--new-key", to.path()];
        audit(&args, "")
    };
    let before = log.text();
    let done = rotate(&other);
    assert_eq!(done.status.code(), Some(2));
    assert!(told(&done).contains("cannot replace audit.example/host-1"), "{}", told(&done));
    assert_eq!(log.text(), before);

    let done = rotate(&new);
    assert_eq!((done.status.code(), told(&done)), (Some(0), String::new()));
    assert!(
        log.text().contains(&format!(r#""old_vkey":"{}","new_vkey":"{}""#, old.vkey, new.vkey))
    );
    let done = log.record(&events(3), &["--key", new.path()]);
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    let newest = fs::read_to_string(notes(&log).last().unwrap()).unwrap();
    assert_eq!(checkpoint(&log, &new), (0, newest, String::new()));

    // Who trusts either key trusts what is signed now, and nobody else does.
    for (key, word, code) in [(&old, "SIGNED", 0), (&new, "SIGNED", 0), (&other, "UNVERIFIABLE", 3)]
    {
        let (status, printed) = verified(&log, &["--vkey", &key.vkey]);
        assert!(status == code && printed.starts_with(word), "{printed}");
    }
}
