//! What the writers of a log said of themselves.

use std::path::Path;

use super::line::Line;
use super::read::{LastLine, read_records};
use super::segments;
use crate::error::OpenError;
use crate::segment::SegmentName;
use crate::store::{RealStore, Store};

/// What the newest `log_opened` of some segments says.
#[derive(Clone, Debug)]
pub(super) struct LogOpened {
    pub(super) unsynced_bytes_max: u64,
    pub(super) holder: String,
}

/// Newest segments in which it is looked for who has a log: an answer that many rotations have passed
/// since is not worth reading all of them.
const LOOKED_AT: usize = 8;

/// A `log_opened` stands among the first records of a segment, if it is there at all.
pub(super) fn newest_log_opened<S: Store>(
    store: &S,
    segments: &[SegmentName],
) -> Result<Option<LogOpened>, OpenError> {
    for segment in segments.iter().rev() {
        let name = segment.to_string();
        let file = store.open(&name).map_err(OpenError::io("open an older segment"))?;
        let mut found = None;
        read_records(&file, |line| {
            let line = Line::parse(line)?;
            if !line.is("segment_opened") && !line.is("log_recovered") {
                found = line.log_opened();
                return None;
            }
            Some(())
        })?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Who holds the log, as the newest `log_opened` says; for the error of the one who does not. Where
/// that writer has closed the log, the holder is another one, which has not written yet.
pub(crate) fn holder<S: Store>(store: &S) -> String {
    let look = || {
        let segments = segments(store)?;
        let older = segments.len().saturating_sub(LOOKED_AT);
        let newest = segments.get(older..).unwrap_or_default();
        if is_closed(store, newest)? {
            return Ok(None);
        }
        let unsaid = || format!("it did not say in the newest {LOOKED_AT} segments who it is");
        let opened = newest_log_opened(store, newest)?.map(|opened| opened.holder);
        Ok::<_, OpenError>(opened.or_else(|| (older > 0).then(unsaid)))
    };
    look().ok().flatten().unwrap_or_else(|| "it has not said who it is".to_owned())
}

/// Opens a directory to look at it, whoever has the log; and who that is.
pub(super) fn open_beside(dir: &Path) -> Result<(RealStore, Option<String>), OpenError> {
    let open = || RealStore::open_existing(dir).map_err(OpenError::io("open the directory"));
    let store = open()?;
    // The lock ends with the descriptor that it was taken with.
    let is_free = open()?.try_lock().map_err(OpenError::io("lock the directory"))?;
    let holder = (!is_free).then(|| holder(&store));
    Ok((store, holder))
}

/// Whether the newest record closes the log.
fn is_closed<S: Store>(store: &S, segments: &[SegmentName]) -> Result<bool, OpenError> {
    let Some(newest) = segments.last() else { return Ok(false) };
    let open = store.open(&newest.to_string());
    let file = open.map_err(OpenError::io("open the newest segment"))?;
    let LastLine { line, .. } = LastLine::read(&file)?;
    Ok(line.as_deref().and_then(Line::parse).is_some_and(|line| line.is("log_closed")))
}
