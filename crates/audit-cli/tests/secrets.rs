//! A private key stays where it belongs: in its file, and once in the memory of who signs with it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails or says why it was skipped"
)]

mod common;

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Key, Log, audit, events, is_there, told, verbs};
use rustix::process::{Pid, Signal, kill_process};

/// The text of a private key that nobody has.
const SECRET: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

/// What of it must be seen nowhere.
const SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr";

/// The names of the commands, and of the options of each that take a value.
fn commands() -> Vec<(String, Vec<String>)> {
    verbs()
        .into_iter()
        .map(|verb| {
            let help = String::from_utf8(audit(&[&verb, "--help"], "").stdout).unwrap();
            let options = help.lines().filter_map(|line| {
                let (option, _) = line.trim_start().split_once(" <")?;
                let option = option.rsplit(' ').next()?;
                option.starts_with("--").then(|| option.to_owned())
            });
            (verb, options.collect())
        })
        .collect()
}

#[test]
fn a_private_key_is_printed_from_no_place_where_it_can_be_typed() {
    let dir = tempfile::tempdir().unwrap();
    // Lines of the files that commands read: a key, a policy, a note, an event, a proof.
    let lines =
        ["", "log ", "witness w ", "quorum ", "a.example/b\n", "{\"event_type\":\"", "index "];
    let files = lines.iter().enumerate().map(|(number, line)| {
        let path = dir.path().join(format!("typed-{number}"));
        fs::write(&path, format!("{line}{SECRET}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let files: Vec<_> = files.collect();
    let log = dir.path().join("log");
    let log = log.to_str().unwrap();
    let done = audit(&["record", "--dir", log, "--service", "a"], &events(3));
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    let joined = |option: &str| format!("{option}={SECRET}");
    let mut places = vec![vec![SECRET.to_owned()], vec![joined("--typed")]];
    let mut in_files = Vec::new();
    for (verb, options) in commands() {
        places.push(vec![verb.clone(), SECRET.to_owned()]);
        places.push(vec![verb.clone(), log.to_owned(), SECRET.to_owned()]);
        places.push(vec![verb.clone(), log.to_owned(), format!("{SECRET}/file")]);
        in_files.extend(files.iter().map(|path| vec![verb.clone(), path.clone()]));
        for option in options {
            places.push(vec![verb.clone(), log.to_owned(), option.clone(), SECRET.to_owned()]);
            places.push(vec![verb.clone(), log.to_owned(), joined(&option)]);
            in_files.extend(
                files
                    .iter()
                    .map(|path| vec![verb.clone(), log.to_owned(), option.clone(), path.clone()]),
            );
        }
    }
    for (places, is_argument) in [(&places, true), (&in_files, false)] {
        for place in places {
            let args: Vec<&str> = place.iter().map(String::as_str).collect();
            // Standard input is one more place.
            let done = audit(
                &args,
                &format!(
                    "{SECRET}\n{{\"event_type\":\"{SECRET}\n{{\"event_type\":\"{SECRET}\"}}\n"
                ),
            );
            let printed = format!("{}{}", String::from_utf8_lossy(&done.stdout), told(&done));
            assert!(!printed.contains(SEED), "{args:?}: {printed}");
            if is_argument {
                assert_eq!(done.status.code(), Some(2), "{args:?}");
                assert!(printed.contains("a private key stands among the arguments"), "{printed}");
            }
        }
    }
    let all = places.len() + in_files.len();
    assert!(all > 100, "only {all} places");
}

#[test]
fn a_public_key_is_given_as_text_or_as_a_file_and_no_private_one_is_taken_for_it() {
    let (log, key) = (Log::new(), Key::new("audit.example/host-1"));
    log.record(&events(3), &["--key", key.path()]);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log.vkey");
    fs::write(&file, format!("{}\n", key.vkey)).unwrap();
    for vkey in [key.vkey.as_str(), file.to_str().unwrap()] {
        let done = audit(&["verify", log.path(), "--vkey", vkey, "--require", "signed"], "");
        assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    }
    let nowhere = dir.path().join("nowhere");
    for (vkey, why) in [
        (key.path(), "audit vkey prints the public one"),
        (nowhere.to_str().unwrap(), "no file is called so"),
        (log.path(), "cannot read"),
    ] {
        let done = audit(&["verify", log.path(), "--vkey", vkey], "");
        assert_eq!(done.status.code(), Some(2), "{vkey}");
        assert!(told(&done).contains(why), "{}", told(&done));
    }
    let printed = audit(&["vkey", key.path()], "");
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), format!("{}\n", key.vkey));
}

#[test]
fn a_public_key_goes_into_a_file_that_a_second_run_does_not_empty() {
    let dir = tempfile::tempdir().unwrap();
    let [out, vkey] = ["log.key", "log.vkey"].map(|name| dir.path().join(name));
    let make = || {
        let args = ["keygen", "--name", "a.example/b", "--out", out.to_str().unwrap()];
        let to = ["--vkey-out", vkey.to_str().unwrap()];
        // Nobody may read anything that is made: the key's mode is its own.
        let line = format!("umask 777; exec {} \"$@\"", env!("CARGO_BIN_EXE_audit"));
        Command::new("sh").args(["-c", &line, "sh"]).args(args).args(to).output().unwrap()
    };
    let done = make();
    assert_eq!((done.status.code(), &*done.stdout), (Some(0), &b""[..]), "{}", told(&done));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&out), mode(&vkey)), (0o600, 0o644));
    let first = fs::read(&vkey).unwrap();
    assert!(first.starts_with(b"a.example/b+"));
    assert_eq!(make().status.code(), Some(2));
    assert_eq!(fs::read(&vkey).unwrap(), first);
}

#[test]
fn a_key_that_belongs_to_another_user_is_refused() {
    let (log, key) = (Log::new(), Key::new("audit.example/host-1"));
    // Root alone may give files away.
    if std::os::unix::fs::chown(&key.path, Some(12_345), None).is_err() {
        println!("skipped: this user may not give files away");
        return;
    }
    let done = log.record(&events(1), &["--key", key.path()]);
    assert_eq!(done.status.code(), Some(2));
    assert!(told(&done).contains("belongs to another user (uid 12345)"), "{}", told(&done));
}

/// The 32 bytes that a key is made of.
fn seed_of(key: &Key) -> Vec<u8> {
    let text = fs::read_to_string(&key.path).unwrap();
    // The Base 64 may hold a plus sign itself.
    let encoded = text.trim_end().splitn(5, '+').nth(4).unwrap();
    let decoded = Command::new("sh")
        .args(["-c", &format!("printf %s '{encoded}' | base64 -d")])
        .output()
        .unwrap();
    decoded.stdout.get(1..).unwrap().to_vec()
}

fn count(bytes: &[u8], sought: &[u8]) -> usize {
    memchr::memmem::find_iter(bytes, sought).count()
}

/// All that a process can write to.
fn memory_of(pid: u32) -> Option<Vec<u8>> {
    let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let mut all = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (range, _) = line.split_once(' ')?;
        let (from, to) = range.split_once('-')?;
        let [from, to] = [from, to].map(|hex| u64::from_str_radix(hex, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(to.saturating_sub(from)).unwrap()];
        if memory.read_exact_at(&mut bytes, from).is_ok() {
            all.extend(bytes);
        }
    }
    Some(all)
}

#[test]
fn the_memory_of_a_signing_process_holds_the_seed_once_and_no_core_of_it_is_written() {
    let (log, key) = (Log::new(), Key::new("audit.example/host-1"));
    let seed = seed_of(&key);
    assert_eq!(seed.len(), 32);
    let encoded = fs::read_to_string(&key.path).unwrap();
    let line = format!("ulimit -c unlimited; exec {} \"$@\"", env!("CARGO_BIN_EXE_audit"));
    let mut child = Command::new("sh")
        .args(["-c", &line, "sh", "record", "--dir", log.path(), "--service", "a", "--receipts"])
        .args(["--key", key.path()])
        .current_dir(key.path.parent().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(events(3).as_bytes()).unwrap();
    let mut receipts = BufReader::new(child.stdout.take().unwrap()).lines();
    receipts.next().unwrap().unwrap();
    match memory_of(child.id()) {
        Some(memory) => {
            assert!(memory.len() > 1 << 16);
            assert_eq!(count(&memory, &seed), 1, "times the seed is in the memory");
            let text = encoded.trim_end().as_bytes();
            assert_eq!(count(&memory, &text[text.len() - 24..]), 0, "its text is there, too");
        }
        None => println!("skipped: this user may not read the memory of that process"),
    }
    let core = key.path.parent().unwrap().join("dumped");
    if is_there("gcore") {
        let dumped = Command::new("gcore")
            .args(["-o", core.to_str().unwrap(), &child.id().to_string()])
            .output()
            .unwrap();
        let path = format!("{}.{}", core.display(), child.id());
        match fs::read(&path) {
            Ok(dumped) => assert_eq!(count(&dumped, &seed), 1, "times the seed is in the core"),
            Err(_) => println!("skipped: gcore did not attach: {}", told(&dumped)),
        }
    }
    let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::ABORT).unwrap();
    let status = child.wait().unwrap();
    assert!(status.signal().is_some() && !status.core_dumped(), "{status}");
}
