//! Starts other programs, and says which one failed.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a verb did not succeed, as a sentence for the person who ran it.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(why: impl fmt::Display) -> Self {
        Self(why.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Nothing to tell, or why it did not work.
pub(crate) type Outcome = Result<(), Failure>;

/// The directory of the workspace's Cargo.toml.
pub(crate) fn workspace_root() -> PathBuf {
    let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest_dir.parent().unwrap_or(manifest_dir).to_path_buf()
}

/// The cargo that started us, at the workspace root: another one could be of another toolchain.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace_root());
    command
}

/// Runs a command whose output goes straight to the terminal.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format_args!("`{}` failed: {status}", spelled(command))))
    }
}

/// Runs a command for its standard output; what it complains about still reaches the terminal.
pub(crate) fn read(command: &mut Command) -> Result<String, Failure> {
    let output =
        command.stderr(Stdio::inherit()).output().map_err(|error| cannot_start(command, &error))?;
    if !output.status.success() {
        let status = output.status;
        return Err(Failure::new(format_args!("`{}` failed: {status}", spelled(command))));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failure::new(format_args!("`{}` printed bytes, not text", spelled(command))))
}

/// Runs a command, however it ends, for all that it prints.
pub(crate) fn finish(command: &mut Command) -> Result<String, Failure> {
    let output = command.output().map_err(|error| cannot_start(command, &error))?;
    let printed = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&printed).into_owned())
}

/// Whether the command runs at all: how an optional tool is found.
pub(crate) fn succeeds_silently(command: &mut Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

fn cannot_start(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format_args!("cannot start `{}`: {error}", spelled(command)))
}

/// The command as a person would type it, without the directory of the program.
fn spelled(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words: Vec<_> =
        std::iter::once(program).chain(command.get_args()).map(OsStr::to_string_lossy).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_named_as_typed() {
        let failure = run(&mut Command::new("/bin/false")).unwrap_err();
        assert!(failure.to_string().starts_with("`false` failed:"), "{failure}");
    }

    #[test]
    fn a_missing_program_is_a_failure_and_not_a_panic() {
        let failure = read(&mut Command::new("/nonexistent/program")).unwrap_err();
        assert!(failure.to_string().starts_with("cannot start `program`:"), "{failure}");
        assert!(!succeeds_silently(&mut Command::new("/nonexistent/program")));
    }

    #[test]
    fn what_a_failing_command_prints_is_read_too() {
        let mut command = Command::new("sh");
        let printed = finish(command.args(["-c", "echo out; echo err >&2; exit 3"])).unwrap();
        assert_eq!(printed, "out\nerr\n");
    }

    #[test]
    fn standard_output_is_read() {
        assert_eq!(read(Command::new("printf").arg("a line")).unwrap(), "a line");
    }
}
