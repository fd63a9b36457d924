//! The envelope of an event, and the receipt for its record.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use crate::digest::Digest;
use crate::event::AuditEvent;
use crate::limits::SEQ_MAX;
use crate::marks::Marks;
use crate::service::ServiceId;

/// An event with what makes it a record.
///
/// A caller gives service and event; the writer assigns `seq`, `audit_id` and `timestamp` and
/// ignores what stands there before.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEventEnvelope<'a> {
    /// Place in the log, from 0, without a gap.
    pub seq: u64,
    /// `audit-<service>-<seq in 16 hex digits>`.
    pub audit_id: String,
    /// When the writer accepted the record.
    pub timestamp: DateTime<Utc>,
    /// The service that the log belongs to.
    pub service_id: ServiceId,
    /// What the caller reports.
    pub event: AuditEvent<'a>,
    /// Which values of the event were neutralised or shortened.
    pub sanitized: Marks,
}

impl<'a> AuditEventEnvelope<'a> {
    /// An envelope that the writer has not yet filled in. Allocates nothing.
    #[must_use]
    pub const fn new(service_id: ServiceId, event: AuditEvent<'a>) -> Self {
        Self {
            seq: 0,
            audit_id: String::new(),
            timestamp: DateTime::UNIX_EPOCH,
            service_id,
            event,
            sanitized: Marks::none(),
        }
    }

    /// The same, with the marks of what cleaning changed.
    #[must_use]
    pub fn with_marks(mut self, sanitized: Marks) -> Self {
        self.sanitized = sanitized;
        self
    }
}

/// Which record an event became. Kept elsewhere, it later proves that the log still holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Receipt {
    /// The record's place in the log.
    pub seq: u64,
    /// The record's hash.
    pub hash: Digest,
}

/// Why a text is no `SEQ:HASH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a head is SEQ:HASH, a decimal number and 64 lowercase hex digits")]
pub struct ReceiptError;

impl FromStr for Receipt {
    type Err = ReceiptError;

    fn from_str(text: &str) -> Result<Self, ReceiptError> {
        let (seq, hash) = text.split_once(':').ok_or(ReceiptError)?;
        let seq = seq.parse().ok().filter(|&seq| seq <= SEQ_MAX).ok_or(ReceiptError)?;
        let hash = Digest::from_hex(hash.as_bytes()).ok_or(ReceiptError)?;
        // A number has other forms, of which the log knows none.
        let receipt = Self { seq, hash };
        (receipt.to_string() == text).then_some(receipt).ok_or(ReceiptError)
    }
}

/// `SEQ:HASH`, the form that `audit verify --head` takes.
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

impl serde::Serialize for Receipt {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_reads_back_and_nothing_else_is_one() {
        let receipt = Receipt { seq: 1047, hash: Digest::of(b"") };
        let text = receipt.to_string();
        assert_eq!(text.parse(), Ok(receipt));
        let (shouted, followed) = (text.to_uppercase(), format!("{text} "));
        let (signed, padded) = (format!("+{text}"), format!("0{text}"));
        for bad in ["", "7", "7:", "x:0", "7:abc", &shouted, &followed, &signed, &padded] {
            assert_eq!(bad.parse::<Receipt>(), Err(ReceiptError), "{bad:?}");
        }
    }
}
