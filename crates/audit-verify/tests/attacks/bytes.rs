//! Bytes of segments changed, put in, taken out, cut off.

use crate::builder::{Files, lines_of};
use crate::hunt::{Level, Mutant};
use crate::logs::Log;

/// What is put in, in every place.
const PUT_IN: [u8; 10] = [0, b'\n', b'\r', b' ', b'"', b'{', b'}', b'0', 0x7f, 0xff];

impl Log {
    /// Bytes of all segments.
    pub(crate) fn byte_count(&self) -> usize {
        self.segments().into_iter().map(|file| self.files[file].len()).sum()
    }

    /// The segment and the place in it of a byte.
    pub(crate) fn byte(&self, mut number: usize) -> (&str, usize) {
        for file in self.segments() {
            let length = self.files[file].len();
            if number < length {
                return (file, number);
            }
            number -= length;
        }
        panic!("no such byte")
    }

    /// The files with one of them changed.
    pub(crate) fn with(&self, file: &str, change: impl FnOnce(&mut Vec<u8>)) -> Files {
        let mut files = self.files.clone();
        change(files.get_mut(file).unwrap());
        files
    }
}

pub(crate) fn bits(log: &Log) -> usize {
    8 * log.byte_count()
}

pub(crate) fn flip_bit(log: &Log, way: usize) -> Option<Mutant> {
    let (file, at) = log.byte(way / 8);
    Mutant::found_by(Level::Chain, log.with(file, |bytes| bytes[at] ^= 1 << (way % 8)))
}

pub(crate) fn values(log: &Log) -> usize {
    255 * log.byte_count()
}

pub(crate) fn change_byte(log: &Log, way: usize) -> Option<Mutant> {
    let (file, at) = log.byte(way / 255);
    let change = u8::try_from(way % 255 + 1).unwrap();
    Mutant::found_by(Level::Chain, log.with(file, |bytes| bytes[at] ^= change))
}

/// Before each byte, and after the last.
pub(crate) fn insertions(log: &Log) -> usize {
    PUT_IN.len() * (log.byte_count() + 1)
}

pub(crate) fn insert_byte(log: &Log, way: usize) -> Option<Mutant> {
    let (number, byte) = (way / PUT_IN.len(), PUT_IN[way % PUT_IN.len()]);
    let (file, at) = match number.checked_sub(1) {
        None => (log.segments()[0], 0),
        Some(before) => {
            let (file, at) = log.byte(before);
            (file, at + 1)
        }
    };
    Mutant::found_by(Level::Chain, log.with(file, |bytes| bytes.insert(at, byte)))
}

/// Up to eight bytes from each on.
pub(crate) fn deletions(log: &Log) -> usize {
    8 * log.byte_count()
}

pub(crate) fn delete_bytes(log: &Log, way: usize) -> Option<Mutant> {
    let (file, at) = log.byte(way / 8);
    let bytes = log.files[file].len().min(at + 1 + way % 8);
    let files = log.with(file, |all| drop(all.drain(at..bytes)));
    let level = if ends_whole(log, file, &files) { log.level_of_its_end() } else { Level::Chain };
    Mutant::found_by(level, files)
}

pub(crate) fn bytes(log: &Log) -> usize {
    log.byte_count()
}

pub(crate) fn cut(log: &Log, way: usize) -> Option<Mutant> {
    let (file, at) = log.byte(way);
    let files = log.with(file, |bytes| bytes.truncate(at));
    let level = if ends_whole(log, file, &files) { log.level_of_its_end() } else { Level::Chain };
    Mutant::found_by(level, files)
}

/// Whether the newest segment lacks nothing but whole records at its end.
pub(crate) fn ends_whole(log: &Log, file: &str, files: &Files) -> bool {
    let (before, now) = (&log.files[file], &files[file]);
    log.is_last(file) && before.starts_with(now) && now.ends_with(b"\n")
}

/// Segments from whose beginnings or ends something of another system shows.
const AROUND: [(&[u8], &[u8]); 6] = [
    (b"\xef\xbb\xbf", b""),
    (b"\xff\xfe", b""),
    (b"\n", b""),
    (b"", b"\n"),
    (b"", b"\x1a"),
    (b"\r\n", b""),
];

/// Whole blocks, and others.
const ZEROS: [usize; 5] = [1, 511, 512, 513, 4_096];

pub(crate) fn paddings(log: &Log) -> usize {
    log.segments().len() * (AROUND.len() + 2 * ZEROS.len() + 1)
}

pub(crate) fn pad(log: &Log, way: usize) -> Option<Mutant> {
    let segments = log.segments();
    let (file, kind) = (segments[way % segments.len()], way / segments.len());
    let files = log.with(file, |bytes| {
        if let Some((before, after)) = AROUND.get(kind) {
            *bytes = [before, bytes.as_slice(), after].concat();
        } else if let Some(zeros) = ZEROS.get(kind - AROUND.len()) {
            bytes.resize(bytes.len() + zeros, 0);
        } else if let Some(zeros) = ZEROS.get(kind - AROUND.len() - ZEROS.len()) {
            bytes.splice(..0, std::iter::repeat_n(0, *zeros));
        } else {
            *bytes = lines_of(bytes).iter().flat_map(|line| with_return(line)).collect();
        }
    });
    Mutant::found_by(Level::Chain, files)
}

/// A line that ends as another system ends it.
fn with_return(line: &[u8]) -> Vec<u8> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    [line, b"\r\n"].concat()
}
