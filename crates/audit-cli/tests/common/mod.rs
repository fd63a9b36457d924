//! What the tests of the command share: a log in a directory of its own, a key in another, and
//! the command.

#![expect(dead_code, reason = "each test file uses what it needs")]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails or says why it was skipped"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};

use tempfile::TempDir;

/// Runs the command with an input.
pub(crate) fn audit(args: &[&str], input: &str) -> Output {
    audit_bytes(args, input.as_bytes())
}

/// Runs the command with an input that need not be text.
pub(crate) fn audit_bytes(args: &[&str], input: &[u8]) -> Output {
    fed(Command::new(env!("CARGO_BIN_EXE_audit")).args(args), input)
}

/// Starts a command with pipes to all of it.
pub(crate) fn piped(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Runs any command with an input.
pub(crate) fn fed(command: &mut Command, input: &[u8]) -> Output {
    let mut child = piped(command);
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let done = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    done
}

/// The subcommands that the help shows, without itself.
pub(crate) fn verbs() -> Vec<String> {
    let help = String::from_utf8(audit(&["--help"], "").stdout).unwrap();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    // A summary that is longer than a line goes on in the next, further to the right.
    let lines = commands.lines().take_while(|line| !line.is_empty());
    let shown = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let shown = shown.filter(|verb| !verb.is_empty());
    let verbs: Vec<_> = shown.filter(|verb| *verb != "help").map(str::to_owned).collect();
    assert!(verbs.len() >= 3, "{help}");
    verbs
}

/// What a command told a person.
pub(crate) fn told(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}

/// Lines of events, each third one critical.
pub(crate) fn events(count: usize) -> String {
    (1..=count)
        .map(|number| {
            if number % 3 == 0 {
                format!(
                    "{{\"event_type\":\"invalid_token_used\",\"timestamp\":\"2026-01-02T03:04:05Z\",\
                     \"ip\":\"192.0.2.7\",\"token_prefix\":\"t{number}\",\"endpoint\":\"/\"}}\n"
                )
            } else {
                format!(
                    "{{\"event_type\":\"seal_verified\",\"timestamp\":\"2026-01-02T03:04:05Z\",\
                     \"shard_id\":\"s{number}\",\"worker_id\":\"w\"}}\n"
                )
            }
        })
        .collect()
}

/// Whether a program is on this machine; says so where it is not, since a test is skipped then.
pub(crate) fn is_there(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    if !found.status.success() {
        println!("skipped: {program} is not installed");
    }
    found.status.success()
}

/// Whether processes can be traced here; says so where they cannot.
pub(crate) fn can_trace() -> bool {
    if !is_there("strace") {
        return false;
    }
    let traced = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output().unwrap();
    if !traced.status.success() {
        println!("skipped: strace cannot attach: {}", told(&traced));
    }
    traced.status.success()
}

/// The command, killed when one of its threads makes such a call the first, second or a later time.
pub(crate) fn killed_at(call: &str, number: u32) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:signal=KILL:when={number}")]);
    // Where cargo has libraries looked for is no call of the command's.
    strace.env_remove("LD_LIBRARY_PATH").arg(env!("CARGO_BIN_EXE_audit"));
    strace
}

/// The independent SHA-256 tools of this machine, as shell commands that read standard input.
pub(crate) fn sha256_tools() -> Vec<&'static str> {
    let there = |tool: &&str| {
        let name = tool.split(' ').next().unwrap();
        Command::new("sh")
            .args(["-c", &format!("command -v {name}")])
            .output()
            .unwrap()
            .status
            .success()
    };
    ["sha256sum", "openssl dgst -sha256"].into_iter().filter(there).collect()
}

/// The project's shared test data, where it lies beside the checkout.
pub(crate) fn shared_data() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if data.is_dir() {
        return Some(data);
    }
    println!("skipped: there is no shared data beside this checkout");
    None
}

/// A log in a directory of its own.
pub(crate) struct Log {
    _parent: TempDir,
    dir: PathBuf,
}

impl Log {
    pub(crate) fn new() -> Self {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("log");
        Self { _parent: parent, dir }
    }

    /// A copy of the files of a directory.
    pub(crate) fn copy_of(from: &Path) -> Self {
        let log = Self::new();
        fs::create_dir(&log.dir).unwrap();
        copy_files(from, &log.dir);
        let notes = from.join("checkpoints");
        if notes.is_dir() {
            fs::create_dir(log.dir.join("checkpoints")).unwrap();
            copy_files(&notes, &log.dir.join("checkpoints"));
        }
        log
    }

    /// A copy of a log as it is, but for its checkpoints.
    pub(crate) fn copy_of_segments(log: &Self) -> Self {
        let copy = Self::new();
        fs::create_dir(&copy.dir).unwrap();
        for path in log.segments() {
            fs::write(copy.dir.join(path.file_name().unwrap()), fs::read(path).unwrap()).unwrap();
        }
        copy
    }

    pub(crate) fn path(&self) -> &str {
        self.dir.to_str().unwrap()
    }

    pub(crate) fn record(&self, input: &str, more: &[&str]) -> Output {
        let args = ["record", "--dir", self.path(), "--service", "web.shop-1"];
        audit(&[&args, more].concat(), input)
    }

    /// Starts to record, with a standard input that stays open.
    pub(crate) fn start(&self, more: &[&str]) -> (Child, ChildStdin) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_audit"));
        command.args(["record", "--dir", self.path(), "--service", "web.shop-1"]).args(more);
        let mut child = piped(&mut command);
        let stdin = child.stdin.take().unwrap();
        (child, stdin)
    }

    /// Starts to record, and waits for the receipt of a first event.
    pub(crate) fn hold(&self) -> (Child, ChildStdin, String) {
        let (mut child, mut stdin) = self.start(&["--receipts", "--flush", "immediate"]);
        stdin.write_all(events(1).as_bytes()).unwrap();
        let mut receipt = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut receipt).unwrap();
        (child, stdin, receipt.trim_end().strip_prefix("1 ").unwrap().to_owned())
    }

    pub(crate) fn verify(&self, more: &[&str]) -> Output {
        audit(&[&["verify", self.path()], more].concat(), "")
    }

    pub(crate) fn segments(&self) -> Vec<PathBuf> {
        let mut paths: Vec<_> =
            fs::read_dir(&self.dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.to_str().unwrap().ends_with(".audit.jsonl"));
        paths.sort();
        paths
    }

    /// All that is in the log, as text.
    pub(crate) fn text(&self) -> String {
        let bytes = self.segments().into_iter().map(|path| fs::read(path).unwrap());
        bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
    }
}

/// A key in a directory of its own, and its public half.
pub(crate) struct Key {
    _dir: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) vkey: String,
}

impl Key {
    pub(crate) fn new(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.key");
        let done = audit(&["keygen", "--name", name, "--out", path.to_str().unwrap()], "");
        assert_eq!((done.status.code(), told(&done)), (Some(0), String::new()));
        let vkey = String::from_utf8(done.stdout).unwrap();
        Self { _dir: dir, path, vkey: vkey.strip_suffix('\n').unwrap().to_owned() }
    }

    pub(crate) fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.path().is_file() {
            // Bytes alone: what is copied may be read-only.
            fs::write(to.join(entry.file_name()), fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}
