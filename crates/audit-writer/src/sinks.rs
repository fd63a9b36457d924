//! Where checkpoints go besides the log's directory: kept where who changes the log does not reach
//! them, they show that it was.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use audit_core::limits::{NOTE_BYTES_MAX, SINK_COMMAND_SECS};
use rustix::fs::OFlags;

use crate::outbox::nap;

/// Where checkpoints go besides the log's directory. It is called on a thread of its own, which
/// holds nothing up but other sinks.
pub trait CheckpointSink: fmt::Debug + Send {
    /// What it is called when it fails.
    fn name(&self) -> String;

    /// The newest checkpoint that it has, as the bytes of a note; `None` when it has none or cannot
    /// tell. Called once, by whoever opens the log, before anything is signed.
    ///
    /// # Errors
    ///
    /// It ought to be able to tell, and is not. The log is not opened then: it may be an older copy
    /// of itself.
    fn newest(&mut self) -> io::Result<Option<Vec<u8>>>;

    /// Takes a checkpoint, a note. One that another has followed meanwhile is left out.
    ///
    /// # Errors
    ///
    /// It did not. The next checkpoint is tried again.
    fn put(&mut self, note: &str) -> io::Result<()>;
}

/// A file that holds the newest checkpoint: on another disk, or one that is backed up elsewhere.
#[derive(Clone, Debug)]
pub struct FileSink {
    path: PathBuf,
}

impl FileSink {
    /// Keeps the newest checkpoint in this file, which is replaced each time: by a file beside it,
    /// called like it with `.new` at the end, in whose place nothing may be that is not to be removed.
    /// No link is followed, and nothing but a file is read.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl CheckpointSink for FileSink {
    fn name(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    fn newest(&mut self) -> io::Result<Option<Vec<u8>>> {
        use std::io::Read as _;
        // Without NONBLOCK, opening a pipe would wait for someone to write to it.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
        }
        let mut bytes = Vec::new();
        let limit = u64::try_from(NOTE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn put(&mut self, note: &str) -> io::Result<()> {
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        let new = PathBuf::from(new);
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(note.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// A command that gets each checkpoint on its standard input: to send it on, or to print it.
///
/// It has 10 seconds, and succeeds with exit status 0.
#[derive(Clone, Debug)]
pub struct CommandSink {
    program: OsString,
    arguments: Vec<OsString>,
}

impl CommandSink {
    /// Runs this program with these arguments, without a shell.
    #[must_use]
    pub fn new<A: Into<OsString>>(
        program: impl Into<OsString>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Self { program: program.into(), arguments }
    }
}

impl CheckpointSink for CommandSink {
    fn name(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }

    fn newest(&mut self) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn put(&mut self, note: &str) -> io::Result<()> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let given = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(note.as_bytes()));
        wait(&mut child)?;
        given
    }
}

/// Waits for a command, and ends one that takes too long.
fn wait(child: &mut Child) -> io::Result<()> {
    let pause = Duration::from_millis(10);
    for _ in 0..SINK_COMMAND_SECS.saturating_mul(100) {
        match child.try_wait()? {
            None => nap(pause),
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(io::Error::other(status.to_string())),
        }
    }
    child.kill()?;
    child.wait()?;
    Err(io::ErrorKind::TimedOut.into())
}
