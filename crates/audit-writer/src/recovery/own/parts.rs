//! What members of the events of the writer's own are made of.

use audit_core::Receipt;
use audit_core::lifecycle::{
    ContinuedLog, FileId, NewestPrune, Place, PreviousSegment, PrunedEnd, PrunedFile, SegmentKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::read::{Object, digest, log_id, number, one_of, text, time};
use crate::segment::SegmentName;

pub(super) fn file_name(value: &[u8]) -> Option<String> {
    text(value).filter(|name| SegmentName::parse(name).is_some())
}

pub(super) fn previous(value: &[u8]) -> Option<PreviousSegment> {
    let object = Object::of(value).ok()?;
    Some(PreviousSegment {
        file: object.required("file", file_name).ok()?,
        last_seq: object.required("last_seq", number).ok()?,
        last_hash: object.required("last_hash", digest).ok()?,
    })
}

pub(super) fn continued(value: &[u8]) -> Option<ContinuedLog> {
    let object = Object::of(value).ok()?;
    Some(ContinuedLog {
        log_id: object.required("log_id", log_id).ok()?,
        head: object.required("head", head).ok()?,
    })
}

/// A head in the form that the log has: a person may type others.
fn head(value: &[u8]) -> Option<Receipt> {
    let text = text(value)?;
    text.parse().ok().filter(|head: &Receipt| head.to_string() == text)
}

pub(super) fn segment_key(value: &[u8]) -> Option<SegmentKey> {
    let object = Object::of(value).ok()?;
    Some(SegmentKey {
        vkey: object.required("vkey", text).ok()?,
        since: object.required("since", number).ok()?,
    })
}

pub(super) fn prune(value: &[u8]) -> Option<NewestPrune> {
    let object = Object::of(value).ok()?;
    Some(NewestPrune {
        seq: object.required("seq", number).ok()?,
        last_seq: object.required("last_seq", number).ok()?,
        last_hash: object.required("last_hash", digest).ok()?,
    })
}

pub(super) fn pruned_end(value: &[u8]) -> Option<PrunedEnd> {
    let object = Object::of(value).ok()?;
    Some(PrunedEnd {
        last_seq: object.required("last_seq", number).ok()?,
        last_hash: object.required("last_hash", digest).ok()?,
    })
}

pub(super) fn pruned_file(value: &[u8]) -> Option<PrunedFile> {
    let object = Object::of(value).ok()?;
    Some(PrunedFile {
        name: object.required("name", file_name).ok()?,
        size: object.required("size", number).ok()?,
        sha256: object.required("sha256", digest).ok()?,
        last_seq: object.optional("last_seq", number).ok()?,
    })
}

pub(super) fn place(value: &[u8]) -> Option<Place> {
    let object = Object::of(value).ok()?;
    Some(Place {
        dir: object.required("dir", file_id).ok()?,
        file: object.required("file", file_id).ok()?,
    })
}

fn file_id(value: &[u8]) -> Option<FileId> {
    let object = Object::of(value).ok()?;
    Some(FileId {
        inode: object.required("inode", number).ok()?,
        born: object.required("born", time).ok()?,
    })
}

/// The root of a tree, as checkpoints write it.
pub(super) fn root(value: &[u8]) -> Option<String> {
    text(value).filter(|root| STANDARD.decode(root).is_ok_and(|bytes| bytes.len() == 32))
}

pub(super) fn tail_kind(value: &[u8]) -> Option<()> {
    one_of(value, &["torn", "zeros", "superseded", "unreadable", "unsealed"])
}

pub(super) fn loss_reason(value: &[u8]) -> Option<()> {
    one_of(value, &["queue_full", "disk_full", "refused", "io_error"])
}

pub(super) fn missing_reason(value: &[u8]) -> Option<()> {
    one_of(value, &["unlinked", "replaced", "size_changed", "acknowledged"])
}

pub(super) fn adoption_reason(value: &[u8]) -> Option<()> {
    one_of(value, &["no_key_before", "before_seals", "other_key", "unsigned_opening"])
}

pub(super) fn storage(value: &[u8]) -> Option<()> {
    one_of(value, &["volatile"])
}
