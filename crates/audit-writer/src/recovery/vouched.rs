//! How far the holder of a key vouches for a log.

use audit_core::SealKey;
use audit_core::lifecycle::SegmentOpened;

use super::line::Line;
use super::read::read_records;
use super::scan::{Known, Opened, Scan};
use super::segments;
use crate::error::OpenError;
use crate::segment::SegmentName;
use crate::store::Store;

/// What is known at the last right seal of a segment; `None` where it has none.
pub(crate) fn last_right_seal<S: Store>(
    store: &S,
    name: &str,
    key: &SealKey,
) -> Result<Option<Known>, OpenError> {
    let Some(segment) = SegmentName::parse(name) else { return Ok(None) };
    Ok(scan(store, segment, key)?.and_then(|scan| scan.sealed).map(|sealed| sealed.known))
}

/// The number of records up to the newest right seal before a segment, and what the segment with
/// that seal says of the log. Reads where each segment begins, the newest first, and one through.
pub(crate) fn newest_right_seal<S: Store>(
    store: &S,
    key: &SealKey,
    vkey: &str,
) -> Result<Option<(u64, SegmentOpened)>, OpenError> {
    for segment in segments(store)?.into_iter().rev() {
        let mut opened = None;
        let file = store.open(&segment.to_string()).map_err(OpenError::io("open a segment"))?;
        read_records(&file, |line| {
            opened = Line::parse(line)?.segment_opened();
            None
        })?;
        let is_own =
            |opened: &SegmentOpened| opened.key.as_ref().is_some_and(|key| key.vkey == vkey);
        if !opened.as_ref().is_some_and(is_own) {
            continue;
        }
        let Some(Scan { opened, sealed, .. }) = scan(store, segment, key)? else { continue };
        if let (Some(Opened { event, .. }), Some(sealed)) = (opened, sealed) {
            return Ok(Some((sealed.known.chain.frontier().size(), event)));
        }
    }
    Ok(None)
}

/// Whether the first seal of a segment is of this key: it vouches for the opening records.
pub(crate) fn has_sealed_opening<S: Store>(
    store: &S,
    segment: SegmentName,
    key: &SealKey,
) -> Result<bool, OpenError> {
    let file = store.open(&segment.to_string()).map_err(OpenError::io("open a segment"))?;
    let mut is_right = false;
    read_records(&file, |line| {
        let line = Line::parse(line)?;
        let Some(sealed) = line.sealed else { return Some(()) };
        is_right = key.verifies(&sealed.digest(), &sealed.seal);
        None
    })?;
    Ok(is_right)
}

/// Seq of the first record that there is.
pub(crate) fn first_seq<S: Store>(store: &S) -> Result<u64, OpenError> {
    Ok(segments(store)?.first().map_or(0, |segment| segment.first_seq))
}

fn scan<S: Store>(
    store: &S,
    segment: SegmentName,
    key: &SealKey,
) -> Result<Option<Scan>, OpenError> {
    let file = store.open(&segment.to_string()).map_err(OpenError::io("open a segment"))?;
    let mut scan = Scan::sealed_with(segment, key.clone());
    read_records(&file, |line| scan.take(line))?;
    Ok(Some(scan).filter(|scan| scan.opened.is_some()))
}
