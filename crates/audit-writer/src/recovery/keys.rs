//! With which key a log goes on.

use audit_checkpoint::VerifyingKey;
use audit_core::Inert;
use audit_core::lifecycle::LogId;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::line::{KeyChanged, Line};
use super::read::read_beginning;
use super::segments;
use crate::broken::{self, Broken};
use crate::error::OpenError;
use crate::segment::SegmentName;
use crate::store::Store;

/// The key that the log goes on with after another one, as the log says; `None` where nothing took its
/// place. Reads where each segment begins, the newest first, until one brings that key. What both keys
/// have not signed is passed over: anybody may have written it. So is a change by a key that was
/// replaced before: only its thief still uses it.
pub(crate) fn successor<S: Store>(
    store: &S,
    key: &VerifyingKey,
) -> Result<Option<String>, OpenError> {
    let vkey = key.to_string();
    let mut changes = Vec::new();
    for segment in segments(store)?.iter().rev() {
        let Some(change) = change_in(store, segment)? else { continue };
        if change.new_vkey == vkey {
            break;
        }
        changes.push(change);
    }
    let mut last = vkey.clone();
    for KeyChanged { old_vkey, new_vkey, .. } in changes.into_iter().rev() {
        if old_vkey == last || broken::is(Broken::ReplacedChanges) {
            last = new_vkey;
        }
    }
    Ok((last != vkey).then(|| Inert(&last).to_string()))
}

/// The key whose place this one took at a seq, if it took one's.
pub(crate) fn predecessor<S: Store>(
    store: &S,
    key: &VerifyingKey,
    since: u64,
) -> Result<Option<VerifyingKey>, OpenError> {
    let segments = segments(store)?;
    let Some(segment) = segments.iter().rfind(|segment| segment.first_seq <= since) else {
        return Ok(None);
    };
    let change = change_in(store, segment)?;
    let change = change.filter(|change| change.new_vkey == key.to_string());
    Ok(change.and_then(|change| change.old_vkey.parse().ok()))
}

/// A change is among the opening records of a segment.
fn change_in<S: Store>(store: &S, segment: &SegmentName) -> Result<Option<KeyChanged>, OpenError> {
    let name = segment.to_string();
    let file = store.open(&name).map_err(OpenError::io("open a segment"))?;
    let beginning = read_beginning(&file)?;
    let mut log_id = None;
    let mut lines = beginning.split(|&byte| byte == b'\n').map_while(Line::parse);
    Ok(lines.find_map(|line| {
        log_id = log_id.or_else(|| Some(line.segment_opened()?.log_id));
        let change = line.key_changed()?;
        is_signed(&change, log_id?, line.seq).then_some(change)
    }))
}

/// Whether both keys have signed a change, for this log and this place in it, and have one name.
fn is_signed(change: &KeyChanged, log_id: LogId, seq: u64) -> bool {
    let KeyChanged { old_vkey, new_vkey, old_signature, new_signature } = change;
    let text = format!("audit key change v1\n{log_id}\n{seq}\n{old_vkey}\n{new_vkey}\n");
    let name = |vkey: &str, signature: &str| {
        let key = vkey.parse::<VerifyingKey>().ok()?;
        let signature = STANDARD.decode(signature).ok()?;
        key.verifies(text.as_bytes(), &signature).then(|| key.name().clone())
    };
    let old = name(old_vkey, old_signature);
    let is_right = old.is_some() && old == name(new_vkey, new_signature);
    is_right || broken::is(Broken::ChangeUnsigned)
}
