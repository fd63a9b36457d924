//! Files with the name of a segment that cannot be read: whether they may be of the log.
//!
//! What cannot be read accounts for nothing. A segment names the one before it, so one that names
//! another leaves no place for a file between the two, and what is absent there is absent.

use crate::account;
use crate::broken::{self, Broken};
use crate::finding::{Ledger, file};
use crate::scan::SegmentName;
use crate::scan::lines::Buffer;
use crate::source::LogSource;

/// The segments without those that cannot be read and that the next one does not follow, which are
/// said to be so.
pub(super) fn of_the_chain(
    source: &impl LogSource,
    segments: &[SegmentName],
    buffer: &mut Buffer,
    ledger: &mut Ledger,
) -> Vec<SegmentName> {
    let mut chained = Vec::with_capacity(segments.len());
    let mut unread = Vec::new();
    for &name in segments {
        if let Err(error) = source.open(&name.to_string()) {
            unread.push((name, error));
            continue;
        }
        if !unread.is_empty() {
            let named = account::previous_of(source, buffer, name);
            let is_among = |named: SegmentName| unread.iter().any(|(name, _)| *name == named);
            if named.is_none_or(is_among) || broken::is(Broken::GapHidden) {
                chained.extend(unread.drain(..).map(|(name, _)| name));
            } else {
                for (name, error) in unread.drain(..) {
                    ledger.find(file::not_opened(name, &error));
                }
            }
        }
        chained.push(name);
    }
    chained.extend(unread.into_iter().map(|(name, _)| name));
    chained
}
