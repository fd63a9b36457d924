//! What the writers of a log said of themselves.

use std::path::Path;

use super::line::Line;
use super::read::read_records;
use super::scan::Scan;
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
    let opened = segments(store).and_then(|segments| {
        if is_closed(store, &segments)? { Ok(None) } else { newest_log_opened(store, &segments) }
    });
    match opened {
        Ok(Some(LogOpened { holder, .. })) => holder,
        Ok(None) | Err(_) => "it has not said who it is".to_owned(),
    }
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

fn is_closed<S: Store>(store: &S, segments: &[SegmentName]) -> Result<bool, OpenError> {
    let Some(newest) = segments.last() else { return Ok(false) };
    let open = store.open(&newest.to_string());
    let file = open.map_err(OpenError::io("open the newest segment"))?;
    let mut scan = Scan::new(*newest);
    read_records(&file, |line| scan.take(line))?;
    Ok(scan.known.closed)
}
