//! Lines of every length, at every place of the buffer.

#![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::*;

/// A file of `a`, with a line feed after every `line` bytes, that is never held in memory.
#[derive(Debug)]
struct Endless {
    bytes: u64,
    line: u64,
    /// Bytes that each read gives, at most.
    step: usize,
}

impl LogFile for Endless {
    fn size(&self) -> io::Result<u64> {
        Ok(self.bytes)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.bytes.saturating_sub(offset)).unwrap();
        let read = buffer.len().min(self.step).min(left);
        buffer[..read].fill(b'a');
        let mut feed = offset / self.line * self.line + self.line - 1;
        while let Some(byte) = buffer[..read].get_mut(usize::try_from(feed - offset).unwrap()) {
            *byte = b'\n';
            feed += self.line;
        }
        Ok(read)
    }
}

/// Number, offset, length, whether whole, whether ended.
fn read(file: &impl LogFile, buffer: &mut Buffer) -> Vec<(u64, u64, u64, bool, bool)> {
    let span = Span::up_to(file.size().unwrap());
    let mut lines = Lines::new(file, span, buffer, ());
    let mut seen = Vec::new();
    while let Some(line) = lines.next().unwrap() {
        let (length, whole) = match line.text {
            Text::Whole(text) => (u64::try_from(text.len()).unwrap(), true),
            Text::TooLong(long) => (long.bytes, false),
        };
        seen.push((line.number, line.offset, length, whole, line.ended));
    }
    seen
}

#[test]
fn lines_are_found_wherever_reads_end() {
    for step in [1, 7, 4_096, usize::MAX] {
        let file = Endless { bytes: 25, line: 10, step };
        let lines = read(&file, &mut Buffer::new());
        assert_eq!(lines, [(1, 0, 9, true, true), (2, 10, 9, true, true), (3, 20, 5, true, false)]);
    }
}

#[test]
fn the_longest_line_is_whole_and_a_byte_more_is_not() {
    for (line, whole) in [(65_536, true), (65_537, false)] {
        let file = Endless { bytes: 3 * line, line, step: usize::MAX };
        let lines = read(&file, &mut Buffer::new());
        let expected = [0, 1, 2].map(|n| (n + 1, n * line, line - 1, whole, true));
        assert_eq!(lines, expected);
        assert_eq!(read(&file, &mut Buffer::small()), expected, "a small buffer does as well");
        let cut = Endless { bytes: line - 1, line, step: 1_000 };
        assert_eq!(read(&cut, &mut Buffer::new()), [(1, 0, line - 1, whole, false)]);
    }
}

#[test]
fn a_line_of_a_hundred_megabytes_is_streamed_past() {
    let line = 100 << 20;
    let file = Endless { bytes: line + 10, line, step: usize::MAX };
    let lines = read(&file, &mut Buffer::new());
    assert_eq!(lines, [(1, 0, line - 1, false, true), (2, line, 10, true, false)]);
}

/// A file that has a line more each time somebody asks for its size.
#[derive(Debug)]
struct Growing(AtomicU64);

impl LogFile for Growing {
    fn size(&self) -> io::Result<u64> {
        Ok(self.0.fetch_add(10, Relaxed) + 10)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        Endless { bytes: self.0.load(Relaxed), line: 10, step: usize::MAX }.read_at(offset, buffer)
    }
}

#[test]
fn a_line_being_written_is_waited_out_and_nothing_after_it() {
    let file = Growing(AtomicU64::new(15));
    let mut buffer = Buffer::new();
    let mut lines = Lines::new(&file, Span::up_to(15), &mut buffer, ()).of_growing_file();
    let mut ends = Vec::new();
    while let Some(line) = lines.next().unwrap() {
        ends.push(line.ended);
    }
    assert_eq!((ends, lines.end()), (vec![true, true], 20));
}

#[test]
fn a_file_that_shrinks_meanwhile_is_an_error_at_its_end() {
    let file = Endless { bytes: 15, line: 10, step: usize::MAX };
    let mut buffer = Buffer::new();
    let mut lines = Lines::new(&file, Span::up_to(25), &mut buffer, ());
    assert!(lines.next().unwrap().is_some());
    assert_eq!(lines.next().unwrap_err().offset, 15);
}
