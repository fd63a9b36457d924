//! The record line: one JSON object, built whole in the caller's buffer.
//!
//! ```text
//! {"v":1,"seq":N,"audit_id":"audit-S-H","timestamp":"T","service_id":"S","event":E[,"sanitized":F],"prev_hash":"P"[,"seal":"M"],"hash":"D"} LF
//! |<------------------------------------------------------ B ------------------------------------------------------->|<--- 75 --->|
//! ```
//!
//! `D` is [`leaf_hash`](crate::digest::leaf_hash) of `B`, the line without its last 75 bytes and its line
//! feed. What a caller contributes, `E[,"sanitized":F]`, is the *payload*: it needs neither seq nor link,
//! so it can be encoded before the record has its place. The seal, of logs that sign, is put in by
//! [`seal_record`](crate::seal::seal_record) once it is known that the record is last in its write.

mod payload;

use std::io::Write as _;

pub use payload::{write_lifecycle_payload, write_payload};

use crate::digest::{Digest, Hasher, leaf_hasher};
use crate::limits::{FORMAT_VERSION, RECORD_BYTES_MAX};
use crate::service::ServiceId;
use crate::time::RecordTime;

/// Bytes at the end of a line, before its line feed, that the hash does not cover.
pub const HASH_FIELD_BYTES: usize = 75;

/// What stands between the covered bytes and the 64 digits of the hash.
pub const HASH_FIELD_START: &[u8] = br#","hash":""#;

/// What stands after them.
pub const HASH_FIELD_END: &[u8] = br#""}"#;

/// What the writer puts before the payload.
#[derive(Clone, Copy, Debug)]
pub struct RecordHead<'a> {
    /// Place in the log.
    pub seq: u64,
    /// `audit-S-H`.
    pub audit_id: &'a str,
    /// When the writer accepted it.
    pub timestamp: RecordTime,
    /// The log's service.
    pub service_id: ServiceId,
}

/// Appends a record with its line feed and returns its hash. `payload` is what one of the
/// functions above made.
pub fn write_record(
    out: &mut Vec<u8>,
    head: &RecordHead<'_>,
    payload: &[u8],
    prev_hash: &Digest,
) -> Digest {
    write_hashed(out, head, payload, prev_hash).0
}

/// As [`write_record`], and what has taken all that the hash is of: a seal goes on from there.
pub fn write_hashed(
    out: &mut Vec<u8>,
    head: &RecordHead<'_>,
    payload: &[u8],
    prev_hash: &Digest,
) -> (Digest, Hasher) {
    let start = out.len();
    let RecordHead { seq, audit_id, timestamp, service_id } = head;
    // Writing into a Vec does not fail.
    let written = write!(
        out,
        r#"{{"v":{FORMAT_VERSION},"seq":{seq},"audit_id":"{audit_id}","timestamp":"{timestamp}","service_id":"{service_id}","event":"#
    );
    debug_assert!(written.is_ok());
    out.extend_from_slice(payload);
    out.extend_from_slice(br#","prev_hash":""#);
    out.extend_from_slice(&prev_hash.to_hex());
    out.push(b'"');
    let hasher = leaf_hasher(out.get(start..).unwrap_or_default());
    let hash = hasher.clone().finish();
    out.extend_from_slice(HASH_FIELD_START);
    out.extend_from_slice(&hash.to_hex());
    out.extend_from_slice(HASH_FIELD_END);
    debug_assert!(out.len().saturating_sub(start) <= RECORD_BYTES_MAX, "a record always fits");
    out.push(b'\n');
    (hash, hasher)
}

#[cfg(test)]
mod tests;
