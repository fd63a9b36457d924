//! Reading a segment: line by line, or a range of it.

use audit_core::Digest;
use audit_core::digest::Hasher;
use audit_core::limits::RECORD_BYTES_MAX;

use crate::error::OpenError;
use crate::store::SegmentFile;

/// Bytes read at a time: the longest record fits, and most logs end within a few of these.
const READ_BYTES: usize = 1 << 17;

/// Hands each line that ends with a line feed to `take`, until it returns `None` or a line is too
/// long to be a record. Returns the length of the file.
pub(super) fn read_records(
    file: &impl SegmentFile,
    take: impl FnMut(&[u8]) -> Option<()>,
) -> Result<u64, OpenError> {
    read_and_see(file, take, |_| ())
}

/// The same, and hashes what is read on the way.
pub(super) fn read_and_hash(
    file: &impl SegmentFile,
    take: impl FnMut(&[u8]) -> Option<()>,
) -> Result<(u64, Hashed), OpenError> {
    let mut hashed = Hashed::default();
    let length = read_and_see(file, take, |bytes| hashed.update(bytes))?;
    Ok((length, hashed))
}

/// The beginning of a file, hashed.
#[derive(Debug, Default)]
pub(super) struct Hashed {
    hasher: Hasher,
    bytes: u64,
}

impl Hashed {
    fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }

    /// SHA-256 of the whole file, of which the rest is read.
    pub(super) fn finish(mut self, file: &impl SegmentFile) -> Result<Digest, OpenError> {
        let mut buffer = Vec::new();
        while read_more(file, self.bytes, &mut buffer)? > 0 {
            self.update(&buffer);
            buffer.clear();
        }
        Ok(self.hasher.finish())
    }
}

fn read_and_see(
    file: &impl SegmentFile,
    mut take: impl FnMut(&[u8]) -> Option<()>,
    mut see: impl FnMut(&[u8]),
) -> Result<u64, OpenError> {
    let mut buffer = Vec::new();
    let mut at: u64 = 0;
    let mut taking = true;
    loop {
        let kept = buffer.len();
        let read = read_more(file, at, &mut buffer)?;
        if read == 0 {
            return Ok(at);
        }
        see(buffer.get(kept..).unwrap_or_default());
        at = at.saturating_add(read);
        let mut used = 0;
        while taking {
            let rest = buffer.get(used..).unwrap_or_default();
            let Some(length) = memchr::memchr(b'\n', rest) else {
                taking = rest.len() <= RECORD_BYTES_MAX;
                break;
            };
            taking = take(rest.get(..length).unwrap_or_default()).is_some();
            used = used.saturating_add(length).saturating_add(1);
        }
        if !taking {
            // Of the rest only how much it is.
            return file.length().map_err(OpenError::io("read a segment"));
        }
        buffer.drain(..used);
    }
}

fn read_more(file: &impl SegmentFile, at: u64, buffer: &mut Vec<u8>) -> Result<u64, OpenError> {
    let kept = buffer.len();
    buffer.resize(kept.saturating_add(READ_BYTES), 0);
    let free = buffer.get_mut(kept..).unwrap_or_default();
    let read = file.read_at(at, free).map_err(OpenError::io("read a segment"))?;
    buffer.truncate(kept.saturating_add(read));
    Ok(u64::try_from(read).unwrap_or(u64::MAX))
}

/// The beginning of a file, or all of a short one.
pub(super) fn read_beginning(file: &impl SegmentFile) -> Result<Vec<u8>, OpenError> {
    let mut beginning = Vec::new();
    read_more(file, 0, &mut beginning)?;
    Ok(beginning)
}

pub(super) fn read_range(
    file: &impl SegmentFile,
    offset: u64,
    bytes: u64,
) -> Result<Vec<u8>, OpenError> {
    let mut found = Vec::new();
    let mut at = offset;
    while read_more(file, at, &mut found)? > 0 {
        at = offset.saturating_add(u64::try_from(found.len()).unwrap_or(u64::MAX));
    }
    found.truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
    Ok(found)
}

/// The last line of a file that ends with a line feed.
#[derive(Debug)]
pub(super) struct LastLine {
    /// Without its line feed; `None` where there is none, or it is longer than any record.
    pub(super) line: Option<Vec<u8>>,
    /// Bytes behind it.
    pub(super) rest_bytes: u64,
}

impl LastLine {
    /// Reads no more than two of the longest records.
    pub(super) fn read(file: &impl SegmentFile) -> Result<Self, OpenError> {
        let bytes = file.length().map_err(OpenError::io("read a segment"))?;
        // The longest record, with what may stand behind it of another.
        let longest = u64::try_from(RECORD_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        let from = bytes.saturating_sub(longest.saturating_mul(2));
        let end = read_range(file, from, bytes.saturating_sub(from))?;
        let whole = memchr::memrchr(b'\n', &end).map_or(0, |at| at.saturating_add(1));
        let lines = end.get(..whole).and_then(|lines| lines.strip_suffix(b"\n"));
        let line = lines.and_then(|lines| {
            let start = memchr::memrchr(b'\n', lines).map_or(0, |at| at.saturating_add(1));
            lines.get(start..).map(<[u8]>::to_vec)
        });
        let rest_bytes = u64::try_from(end.len().saturating_sub(whole)).unwrap_or(u64::MAX);
        Ok(Self { line, rest_bytes })
    }
}

/// SHA-256 of a file from an offset on.
pub(super) fn digest_from(file: &impl SegmentFile, at: u64) -> Result<Digest, OpenError> {
    Hashed { bytes: at, ..Hashed::default() }.finish(file)
}
