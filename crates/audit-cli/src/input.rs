//! Lines of input, with a limit to each, waited for beside other things.

use std::fs::File;
use std::io::{self, Stdin};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use audit_core::Digest;
use audit_core::digest::Hasher;
use audit_core::limits::INPUT_LINE_BYTES_MAX;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, retry_on_intr};

use crate::critical::Names;

const READ_BYTES: usize = 64 << 10;

/// U+FEFF in UTF-8, which some programs begin a file with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where lines come from.
#[derive(Debug)]
pub(crate) enum Source {
    File(File),
    Stdin(Stdin),
}

impl Source {
    /// Opens a file, or standard input for `-`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Stdin(io::stdin()));
        }
        File::open(path).map(Self::File)
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        match self {
            Self::File(file) => file.as_fd(),
            Self::Stdin(stdin) => stdin.as_fd(),
        }
    }
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next<'b> {
    /// A line, without its line feed, numbered from 1. The first one is without a byte order mark.
    Line { number: u64, bytes: &'b [u8] },
    /// A line longer than is read as an event, and whether it names a critical type.
    TooLong { number: u64, bytes: u64, sha256: Digest, critical: bool },
    /// Nothing to read, but something else that is waited for is there.
    Idle,
    /// No more.
    End,
}

/// Reads lines. The last one need not end with a line feed.
#[derive(Debug)]
pub(crate) struct Lines {
    source: Source,
    buffer: Vec<u8>,
    used: usize,
    number: u64,
    long: Option<LongLine>,
    ended: bool,
    stopped: bool,
}

/// A line that is too long to keep.
#[derive(Debug, Default)]
struct LongLine {
    bytes: u64,
    hasher: Hasher,
    names: Names,
}

impl LongLine {
    fn add(&mut self, piece: &[u8]) {
        self.bytes = self.bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        self.hasher.update(piece);
        self.names.add(piece);
    }
}

impl Lines {
    pub(crate) fn new(source: Source) -> Self {
        let buffer = Vec::new();
        Self { source, buffer, used: 0, number: 0, long: None, ended: false, stopped: false }
    }

    /// Reads no more. The whole lines that were read are still to come; the beginning of another is
    /// not: whoever writes it has not said that it ends there.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
    }

    /// The next line. It is waited for until there is something to read from one of `others`.
    pub(crate) fn next(&mut self, others: &[BorrowedFd<'_>]) -> io::Result<Next<'_>> {
        self.buffer.drain(..std::mem::take(&mut self.used));
        let mut searched = 0;
        loop {
            let unsearched = self.buffer.get(searched..).unwrap_or_default();
            let found = memchr::memchr(b'\n', unsearched).map(|at| at.saturating_add(searched));
            if found.is_some() || self.ended {
                return Ok(self.take(found));
            }
            if self.stopped {
                return Ok(Next::End);
            }
            if self.long.is_some() || self.buffer.len() > INPUT_LINE_BYTES_MAX {
                self.long.get_or_insert_default().add(&self.buffer);
                self.buffer.clear();
            }
            searched = self.buffer.len();
            if !self.wait(others)? {
                return Ok(Next::Idle);
            }
            self.read_more()?;
        }
    }

    /// Takes the line that ends at `found`, or at the end of the input.
    fn take(&mut self, found: Option<usize>) -> Next<'_> {
        let length = found.unwrap_or(self.buffer.len());
        if found.is_none() && length == 0 && self.long.is_none() {
            return Next::End;
        }
        self.used = found.map_or(length, |at| at.saturating_add(1));
        self.number = self.number.saturating_add(1);
        let number = self.number;
        let bytes = self.buffer.get(..length).unwrap_or_default();
        if self.long.is_some() || bytes.len() > INPUT_LINE_BYTES_MAX {
            let mut long = self.long.take().unwrap_or_default();
            long.add(bytes);
            let LongLine { bytes, hasher, names } = long;
            let (sha256, critical) = (hasher.finish(), names.is_critical());
            return Next::TooLong { number, bytes, sha256, critical };
        }
        let marked = bytes.strip_prefix(BYTE_ORDER_MARK).filter(|_| number == 1);
        Next::Line { number, bytes: marked.unwrap_or(bytes) }
    }

    /// Waits until there is something to read here or there; whether there is here.
    fn wait(&self, others: &[BorrowedFd<'_>]) -> io::Result<bool> {
        let descriptors = [self.source.descriptor()].into_iter().chain(others.iter().copied());
        let mut watched: Vec<_> =
            descriptors.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        match poll(&mut watched, None) {
            Ok(_) => Ok(watched.first().is_some_and(|source| !source.revents().is_empty())),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn read_more(&mut self) -> io::Result<()> {
        let kept = self.buffer.len();
        self.buffer.resize(kept.saturating_add(READ_BYTES), 0);
        let free = self.buffer.get_mut(kept..).unwrap_or_default();
        // Past std's buffer, of which `poll` knows nothing.
        let read = retry_on_intr(|| rustix::io::read(self.source.descriptor(), &mut *free));
        self.buffer.truncate(kept.saturating_add(*read.as_ref().unwrap_or(&0)));
        self.ended = read? == 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek as _, Write as _};
    use std::os::fd::OwnedFd;

    fn lines(input: &[u8]) -> Vec<String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(input).unwrap();
        file.rewind().unwrap();
        let mut lines = Lines::new(Source::File(file));
        let mut seen = Vec::new();
        loop {
            seen.push(match lines.next(&[]).unwrap() {
                Next::Line { number, bytes } => {
                    format!("{number} {}", String::from_utf8_lossy(bytes))
                }
                Next::TooLong { number, bytes, sha256, critical: false } => {
                    format!("{number} {bytes} {sha256}")
                }
                Next::TooLong { number, .. } => format!("{number} critical"),
                Next::Idle => "idle".to_owned(),
                Next::End => return seen,
            });
        }
    }

    #[test]
    fn lines_are_numbered_and_the_last_needs_no_line_feed() {
        assert_eq!(lines(b"a\n\nb"), ["1 a", "2 ", "3 b"]);
        assert_eq!(lines(b"a\n"), ["1 a"]);
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        let marked = b"\xef\xbb\xbfa\r\nb\n\xef\xbb\xbfc";
        assert_eq!(lines(marked), ["1 a\r", "2 b", "3 \u{feff}c"]);
        assert_eq!(lines(b"\xef\xbb\xbf"), ["1 "]);
    }

    #[test]
    fn a_long_line_that_names_a_critical_type_is_one_of_them() {
        let mut long = vec![b'x'; INPUT_LINE_BYTES_MAX.saturating_add(READ_BYTES)];
        long.extend_from_slice(b"auth_failure");
        assert_eq!(lines(&long), ["1 critical"]);
    }

    #[test]
    fn after_a_stop_whole_lines_come_and_no_part_of_one() {
        let (source, mut input) = io::pipe().unwrap();
        input.write_all(b"a\nb\nc").unwrap();
        let mut lines = Lines::new(Source::File(File::from(OwnedFd::from(source))));
        assert!(matches!(lines.next(&[]).unwrap(), Next::Line { number: 1, bytes: b"a" }));
        lines.stop();
        assert!(matches!(lines.next(&[]).unwrap(), Next::Line { number: 2, bytes: b"b" }));
        input.write_all(b"\nd\n").unwrap();
        assert!(matches!(lines.next(&[]).unwrap(), Next::End));
    }

    #[test]
    fn an_idle_input_is_left_when_something_else_is_there() {
        let (read, _input) = io::pipe().unwrap();
        let (other, mut ringer) = io::pipe().unwrap();
        let mut lines = Lines::new(Source::File(File::from(OwnedFd::from(read))));
        ringer.write_all(b"!").unwrap();
        assert!(matches!(lines.next(&[other.as_fd()]).unwrap(), Next::Idle));
    }

    #[test]
    fn a_line_of_the_limit_is_read_and_a_longer_one_is_hashed() {
        let most = vec![b'x'; INPUT_LINE_BYTES_MAX];
        assert_eq!(lines(&most)[0].len(), INPUT_LINE_BYTES_MAX.saturating_add(2));
        for extra in [1, 3, READ_BYTES, INPUT_LINE_BYTES_MAX] {
            let long = vec![b'x'; INPUT_LINE_BYTES_MAX.saturating_add(extra)];
            let told = format!("2 {} {}", long.len(), Digest::of(&long));
            let with_neighbours = [b"before\n", long.as_slice(), b"\nafter\n"].concat();
            assert_eq!(lines(&with_neighbours), ["1 before", told.as_str(), "3 after"]);
            let alone = format!("1 {} {}", long.len(), Digest::of(&long));
            assert_eq!(lines(&long), [alone]);
        }
    }
}
