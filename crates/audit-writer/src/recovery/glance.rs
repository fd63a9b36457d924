//! What can be told of a log at a glance: nothing is read through, and nothing is changed.

use std::path::Path;

use audit_core::Receipt;
use chrono::{DateTime, Utc};

use super::copied::Copied;
use super::holder::open_beside;
use super::line::Line;
use super::own::Own;
use super::read::{LastLine, read_records};
use super::segments;
use crate::error::OpenError;
use crate::segment::SegmentName;
use crate::store::{FileSystemKind, RealSegment, RealStore, Store};

/// A log at a glance.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Glance {
    /// What the writer that has the log open said of itself; `None` when nobody has it open.
    pub holder: Option<String>,
    /// How many segments there are.
    pub segments: u64,
    /// Their length, in bytes.
    pub bytes: u64,
    /// The newest segment.
    pub newest: Option<NewestSegment>,
    /// Bytes that the file system has left; `None` when it does not say.
    pub free_bytes: Option<u64>,
    /// On what kind of file system the log is.
    pub file_system: FileSystemKind,
}

/// The newest segment of a log, at a glance.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewestSegment {
    /// Its file name.
    pub file: String,
    /// Its last whole record, as far as a look at its end tells; `None` when there is none.
    pub head: Option<NewestRecord>,
    /// Bytes behind its last line feed: what a writer is just writing, or what a crash left.
    pub rest_bytes: u64,
    /// Where the log was copied from, where this segment is a copy or was begun over one.
    pub copied: Option<Copied>,
}

/// The newest record of a log, at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewestRecord {
    /// Its seq and hash.
    pub receipt: Receipt,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Whether it is `log_closed`.
    pub closes: bool,
}

/// Looks at a log. Neither the chain nor a whole segment is checked: the verifier does that.
///
/// To tell whether a writer has the log, its lock is tried and let go at once; a writer that opens
/// it in that moment finds it locked.
///
/// # Errors
///
/// [`OpenError::Io`] when the directory or the end of its newest segment cannot be read.
pub fn glance(dir: impl AsRef<Path>) -> Result<Glance, OpenError> {
    let (store, holder) = open_beside(dir.as_ref())?;
    let names = segments(&store)?;
    let mut bytes: u64 = 0;
    for name in &names {
        bytes = bytes.saturating_add(length(&store, *name)?);
    }
    let file_system = store.file_system();
    Ok(Glance {
        holder,
        segments: u64::try_from(names.len()).unwrap_or(u64::MAX),
        bytes,
        newest: names.last().map(|name| newest(&store, *name)).transpose()?,
        free_bytes: store.free_bytes().ok(),
        file_system: file_system.map_err(OpenError::io("ask for the kind of file system"))?,
    })
}

/// A segment that is gone by now was pruned meanwhile.
fn length(store: &RealStore, name: SegmentName) -> Result<u64, OpenError> {
    let name = name.to_string();
    let seen = store.open(&name).and_then(|file| store.look(&name, &file));
    match seen {
        Ok(sight) => Ok(sight.bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(OpenError::io("look at a segment")(error)),
    }
}

fn newest(store: &RealStore, name: SegmentName) -> Result<NewestSegment, OpenError> {
    let name = name.to_string();
    let file = store.open(&name).map_err(OpenError::io("open the newest segment"))?;
    let LastLine { line, rest_bytes } = LastLine::read(&file)?;
    let line = line.as_deref().and_then(Line::parse);
    let head = line.and_then(|line| NewestRecord::of(&line));
    let copied = copied(store, &file)?;
    Ok(NewestSegment { file: name, head, rest_bytes, copied })
}

/// Where a log was copied from, as its newest segment lies or says.
fn copied(store: &RealStore, file: &RealSegment) -> Result<Option<Copied>, OpenError> {
    let (mut place, mut declared) = (None, None);
    read_records(file, |line| {
        let line = Line::parse(line)?;
        let own = line.own()?;
        if let Own::SegmentOpened(opened) = own {
            place = opened.place;
            return Some(());
        }
        if let Own::LogCopied(copied) = own {
            declared = Some(*copied);
            return None;
        }
        matches!(own, Own::LogRecovered(_) | Own::LogOpened(_) | Own::RecordsAdopted(_))
            .then_some(())
    })?;
    Ok(Copied::found(store, file, place).or(declared))
}

impl NewestRecord {
    fn of(line: &Line<'_>) -> Option<Self> {
        let recorded_at = DateTime::parse_from_rfc3339(line.timestamp).ok()?.to_utc();
        let receipt = Receipt { seq: line.seq, hash: line.hash };
        Some(Self { receipt, recorded_at, closes: line.is("log_closed") })
    }
}
