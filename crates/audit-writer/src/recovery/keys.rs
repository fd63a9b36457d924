//! With which key a log goes on.

use audit_checkpoint::VerifyingKey;
use audit_core::Inert;

use super::line::{KeyChanged, Line};
use super::read::read_beginning;
use super::segments;
use crate::error::OpenError;
use crate::segment::SegmentName;
use crate::store::Store;

/// The key that took the place of another, as the log says; of several, the last. `None` where
/// nothing took its place. Reads where each segment begins, the newest first, until one tells.
pub(crate) fn successor<S: Store>(
    store: &S,
    key: &VerifyingKey,
) -> Result<Option<String>, OpenError> {
    let vkey = key.to_string();
    let mut last = None;
    for segment in segments(store)?.iter().rev() {
        let Some(KeyChanged { old_vkey, new_vkey, .. }) = change_in(store, segment)? else {
            continue;
        };
        if new_vkey == vkey {
            return Ok(last);
        }
        let last = last.get_or_insert_with(|| Inert(&new_vkey).to_string());
        if old_vkey == vkey {
            return Ok(Some(last.clone()));
        }
    }
    Ok(None)
}

/// A change is the first event of a segment.
fn change_in<S: Store>(store: &S, segment: &SegmentName) -> Result<Option<KeyChanged>, OpenError> {
    let name = segment.to_string();
    let file = store.open(&name).map_err(OpenError::io("open a segment"))?;
    let beginning = read_beginning(&file)?;
    let mut lines = beginning.split(|&byte| byte == b'\n').map_while(Line::parse);
    Ok(lines.find_map(|line| line.key_changed()))
}
