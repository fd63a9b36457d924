//! The tree over a log's first records, from the segments that hold them.

use audit_core::{Digest, Frontier};

use super::read::read_records;
use super::scan::Scan;
use super::segments;
use crate::chain::Chain;
use crate::error::OpenError;
use crate::store::Store;

/// The root of the tree over the first `size` records of a log that ends with `end`; `None` when it
/// has not so many, when those that would tell are deleted, or when what is there does not lead to
/// that end. Reads the segment that begins with record `size` or holds it, and
/// those behind it.
pub(crate) fn root_at<S: Store>(
    store: &S,
    end: &Chain,
    size: u64,
) -> Result<Option<Digest>, OpenError> {
    if size == end.frontier().size() {
        return Ok(Some(end.frontier().root()));
    }
    let segments = segments(store)?;
    let from = segments.iter().rposition(|segment| segment.first_seq <= size);
    let (mut root, mut before) = (None, None);
    for segment in segments.iter().skip(from.unwrap_or(segments.len())) {
        let name = segment.to_string();
        let file = store.open(&name).map_err(OpenError::io("open a segment"))?;
        let mut scan = Scan::following(*segment, before);
        read_records(&file, |line| {
            scan.take(line)?;
            let frontier = scan.known.chain.frontier();
            if frontier.size() == size {
                root = Some(frontier.root());
            }
            Some(())
        })?;
        if segment.first_seq == size {
            root = scan.opened.as_ref().and_then(|opened| {
                Some(Frontier::from_roots(size, &opened.event.merkle_frontier)?.root())
            });
        }
        before = scan.end().map(|end| end.chain.clone());
    }
    let leads_to_end = before.is_some_and(|chain| chain == *end);
    Ok(root.filter(|_| leads_to_end))
}
