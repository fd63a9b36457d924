//! A second verifier in another language, by the document of the format alone: both say the same.

mod edits;
pub(crate) mod mutants;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use audit_testkit::dice::Dice;
use audit_verify::{Finding, Verdict, VerifyOptions, verify_dir};

use crate::builder::{Builder, Files, seal};
use crate::sealed_logs::{FALSE, PLAIN, WHOLE};

const SEED: u64 = 1;
const MUTANTS_OF_EACH: usize = 40;
/// Of the sealed log of another implementation, and of each log with which only newer rules deal.
const MUTANTS_OF_SEALED: usize = 2_000;
const EDITS_OF_EACH: usize = 100;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The second verifier; `None` where there is no Python, and says so.
#[expect(clippy::print_stdout, reason = "a test says why it was skipped")]
fn second() -> Option<Command> {
    let mut python = Command::new("python3");
    if python.arg("--version").output().is_err() {
        println!("skipped: python3 is not installed");
        return None;
    }
    let mut second = Command::new("python3");
    second.arg("-I").arg(root().join("../../tools/verify.py"));
    Some(second)
}

fn text(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.is_empty(), "{errors}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The word that this project's verifier has for the chain of a directory, and its exit status: what
/// it says of checkpoints is left out, which the second one does not look at.
fn first_says(dir: &Path) -> (&'static str, u8) {
    let report = verify_dir(dir, &VerifyOptions::default()).unwrap();
    assert_eq!(report.findings_total, u64::try_from(report.findings.len()).unwrap());
    let of_chain = |finding: &&Finding| !finding.code.as_str().starts_with("checkpoint_");
    let worst = report.findings.iter().filter(of_chain).map(|finding| finding.verdict).max();
    let verdict = worst.unwrap_or(Verdict::Consistent);
    (verdict.as_str(), verdict.exit_code())
}

/// The logs of the corpus, and that of another implementation where it lies beside the checkout.
pub(crate) fn logs() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("tests/fixtures")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let golden = ["golden", "golden-sealed"].into_iter().filter_map(shared);
    let mut logs: Vec<_> = paths.chain(golden).collect();
    logs.sort();
    logs
}

/// A log of another implementation, if it is beside the checkout; otherwise says that it is not.
#[expect(clippy::print_stdout, reason = "a test says why it was skipped")]
fn shared(name: &str) -> Option<PathBuf> {
    let dir = root().join("../../../shared/data").join(name);
    if !dir.is_dir() {
        println!("skipped: {} is not there", dir.display());
        return None;
    }
    Some(dir)
}

fn is_golden(dir: &Path) -> bool {
    dir.ends_with("golden")
}

pub(crate) fn files(dir: &Path) -> Files {
    let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    files
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect()
}

fn write(dir: &Path, files: &Files) {
    fs::create_dir(dir).unwrap();
    for (name, bytes) in files {
        fs::write(dir.join(name), bytes).unwrap();
    }
}

/// Compares what both say of each directory in `parent`; what was done to it is in `told`.
fn compare(mut second: Command, parent: &Path, told: &[String]) {
    let dirs = (0..told.len()).map(|number| number.to_string());
    let output = second.args(dirs).current_dir(parent).output().unwrap();
    let said = text(&output);
    assert_eq!(said.lines().count(), told.len());
    let mut disagreements = Vec::new();
    for (number, (line, told)) in said.lines().zip(told).enumerate() {
        let (word, _) = first_says(&parent.join(number.to_string()));
        if line != format!("{word} {number}") {
            disagreements.push(format!("{word}, but {line}: {told}"));
        }
    }
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
}

#[test]
fn each_verdict_comes_first_and_has_its_exit_status() {
    let logs = ["whole-open", "end-torn-line", "segments-none", "writer-missed-its-segment"];
    for log in logs.into_iter().chain(["line-deleted"]) {
        let Some(mut second) = second() else { return };
        let dir = root().join("tests/fixtures").join(log);
        let output = second.arg(&dir).output().unwrap();
        let (said, (word, status)) = (text(&output), first_says(&dir));
        assert_eq!(said.split(' ').next(), Some(word), "{said}");
        assert_eq!(output.status.code(), Some(status.into()), "{said}");
        assert_eq!(said.lines().count() == 1, word == "consistent", "{said}");
    }
}

#[test]
fn they_agree_on_every_log_of_the_corpus() {
    let Some(mut second) = second() else { return };
    let logs = logs();
    let said = text(&second.args(&logs).output().unwrap());
    assert_eq!(said.lines().count(), logs.len());
    for (line, log) in said.lines().zip(logs) {
        assert_eq!(line, format!("{} {}", first_says(&log).0, log.display()));
    }
}

#[test]
fn they_agree_on_thousands_of_logs_that_something_was_done_to() {
    let Some(second) = second() else { return };
    let parent = tempfile::tempdir().unwrap();
    let (mut dice, mut told) = (Dice::new(SEED), Vec::new());
    for dir in logs() {
        let whole = files(&dir);
        // Fewer of the long one.
        let mutants = if is_golden(&dir) { MUTANTS_OF_EACH / 5 } else { MUTANTS_OF_EACH };
        for _ in 0..mutants {
            let mut mutant = whole.clone();
            let done = mutants::change(&mut mutant, &mut dice);
            write(&parent.path().join(told.len().to_string()), &mutant);
            told.push(format!("{}: {done}", dir.file_name().unwrap().display()));
        }
    }
    assert!(told.len() > 3_000);
    compare(second, parent.path(), &told);
}

#[test]
fn they_agree_on_a_sealed_log_that_something_was_done_to() {
    let (Some(second), Some(dir)) = (second(), shared("golden-sealed")) else { return };
    let parent = tempfile::tempdir().unwrap();
    let (mut dice, mut told) = (Dice::new(SEED), Vec::new());
    let whole = files(&dir);
    for _ in 0..MUTANTS_OF_SEALED {
        let mut mutant = whole.clone();
        let done = mutants::change(&mut mutant, &mut dice);
        write(&parent.path().join(told.len().to_string()), &mutant);
        told.push(done);
    }
    compare(second, parent.path(), &told);
}

#[test]
fn they_agree_on_whatever_a_sealed_log_says() {
    let Some(second) = second() else { return };
    let parent = tempfile::tempdir().unwrap();
    let (mut dice, mut told) = (Dice::new(SEED), Vec::new());
    for (name, make) in [PLAIN, WHOLE, FALSE].concat() {
        for number in 0..EDITS_OF_EACH {
            let mut plan = make();
            // The first one is as it was made.
            let done = if number == 0 { String::new() } else { edits::edit(&mut plan, &mut dice) };
            write(&parent.path().join(told.len().to_string()), &plan.files());
            told.push(format!("{name}: {done}"));
        }
    }
    assert!(told.len() > 2_000);
    compare(second, parent.path(), &told);
}

#[test]
fn they_agree_on_what_was_announced() {
    let Some(second) = second() else { return };
    let parent = tempfile::tempdir().unwrap();
    let versions = ["1", "2", "3", "20", "18446744073709551615"];
    let mut told = Vec::new();
    // What stands after that record: for it, %.
    let rests = ["", "%", "%%x", "%x\n", "\0", "\0\n%", "%\0\n%{"];
    for ((to, v), rest) in versions
        .iter()
        .flat_map(|to| versions.map(|v| (to, v)))
        .flat_map(|versions| rests.map(|rest| (versions, rest)))
    {
        let mut log = Builder::new();
        log.record(&format!(r#"{{"event_type":"format_changed","to":{to}}}"#));
        log.open_segment();
        let opening = String::from_utf8(log.files.remove(&log.file).unwrap()).unwrap();
        let body = opening[..opening.len() - 76].replacen(r#""v":1"#, &format!(r#""v":{v}"#), 1);
        let (line, _) = seal(&body);
        let text = line.clone() + &rest.replace('%', &line);
        log.files.insert(log.file.clone(), text.into_bytes());
        write(&parent.path().join(told.len().to_string()), &log.files);
        told.push(format!("version {v} where {to} is announced, then {rest:?}"));
    }
    compare(second, parent.path(), &told);
}

#[test]
fn neither_waits_for_a_pipe_nor_follows_a_link() {
    let Some(second) = second() else { return };
    let parent = tempfile::tempdir().unwrap();
    let name = "00000000000000000000.2026-01-02.audit.jsonl";
    for number in 0..3 {
        fs::create_dir(parent.path().join(number.to_string())).unwrap();
    }
    let made = Command::new("mkfifo").arg(parent.path().join("0").join(name)).status().unwrap();
    assert!(made.success());
    let log = root().join("tests/fixtures/whole-open").join(name);
    std::os::unix::fs::symlink(log, parent.path().join("1").join(name)).unwrap();
    fs::create_dir(parent.path().join("2").join(name)).unwrap();
    compare(second, parent.path(), &["a pipe".into(), "a link".into(), "a directory".into()]);
}

#[test]
fn it_says_when_it_could_not_look() {
    let Some(mut second) = second() else { return };
    let output = second.arg(root().join("Cargo.toml")).output().unwrap();
    assert!(text(&output).starts_with("could-not-look "));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_nobody_can_read_is_no_verdict() {
    let Some(mut second) = second() else { return };
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    second.arg(root().join("tests/fixtures/whole-open")).stdout(full);
    let output = second.output().unwrap();
    assert_eq!(text(&output), "");
    assert_eq!(output.status.code(), Some(2));
}
