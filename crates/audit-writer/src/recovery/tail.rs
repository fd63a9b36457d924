//! Whether a tail looks like a crash.
//!
//! Lost blocks leave NULs that begin at a block or where the file had ended, and end at a block or
//! where the file ends; an interrupted append leaves an unfinished last line. A changed byte leaves
//! neither, and neither does a line that was taken out, put in or moved: what follows it is whole.

use audit_core::Receipt;
use audit_core::lifecycle::TailKind;
use audit_core::limits::RECORD_BYTES_MAX;

use super::damage::Damage;
use super::line::Line;
use crate::broken::{self, Broken};

/// What a disk loses at once, in bytes: never less than a sector.
const BLOCK_BYTES: u64 = 512;

/// What was found in a tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Whole lines with a right hash.
    pub(super) valid_records: u64,
    /// What it looks like as a whole.
    pub(super) looks: TailKind,
}

/// Which whole record may come next in a tail.
#[derive(Clone, Copy, Debug)]
enum Due {
    /// None: a tail that begins with a whole record had the one before it taken out.
    NoRecord,
    /// The one after this one.
    After(Receipt),
    /// Any: what stood before it was lost.
    AnyRecord,
}

impl Due {
    fn allows(self, record: &Line<'_>) -> bool {
        match self {
            Self::NoRecord => false,
            Self::After(before) => {
                record.prev_hash == before.hash && before.seq.checked_add(1) == Some(record.seq)
            }
            Self::AnyRecord => true,
        }
    }
}

/// Examines a tail that begins at `offset` of its file. In a segment that is sealed, records without
/// a seal may follow the last one with a seal, which is `sealed`.
///
/// # Errors
///
/// Why it does not look like a crash.
pub(super) fn examine(tail: &[u8], offset: u64, sealed: Option<Receipt>) -> Result<Found, Damage> {
    let mut valid_records: u64 = 0;
    let mut due = sealed.map_or(Due::NoRecord, Due::After);
    // Records without a seal that follow each other from the last seal on.
    let mut unsealed: u64 = 0;
    let mut is_unsealed_only = sealed.is_some();
    for line in tail.split_inclusive(|&byte| byte == b'\n') {
        let whole = line.strip_suffix(b"\n");
        if let Some(record) = whole.and_then(Line::parse_in_tail) {
            if !due.allows(&record) {
                // What its event says may be why it is no part of the log.
                let is_record = whole.is_some_and(|line| Line::parse(line).is_some());
                return Err(if is_record {
                    Damage::RecordNotLinked
                } else {
                    Damage::LineNotARecord
                });
            }
            if is_unsealed_only {
                if record.owes_seal() && !broken::is(Broken::OwnInTail) {
                    return Err(Damage::SealMissing);
                }
                if record.sealed.is_some() {
                    return Err(Damage::RecordNotLinked);
                }
                unsealed = unsealed.saturating_add(1);
            }
            due = Due::After(Receipt { seq: record.seq, hash: record.hash });
            valid_records = valid_records.saturating_add(1);
            continue;
        }
        due = Due::AnyRecord;
        is_unsealed_only = false;
        if line.contains(&0) {
            continue;
        }
        match whole {
            Some(_) => return Err(Damage::LineNotARecord),
            None if line.len() > RECORD_BYTES_MAX && !broken::is(Broken::LineUnbounded) => {
                return Err(Damage::LineTooLong);
            }
            None if follows_a_record(line) => {
                return Err(Damage::ByteAfterRecord);
            }
            None => {}
        }
    }
    if !nuls_are_lost_blocks(tail, offset) {
        return Err(Damage::NulsWithinBlock);
    }
    let looks = if unsealed > 0 {
        TailKind::Unsealed
    } else if tail.iter().all(|&byte| byte == 0) {
        TailKind::Zeros
    } else if valid_records > 0 {
        TailKind::Superseded
    } else {
        TailKind::Torn
    };
    Ok(Found { valid_records, looks })
}

/// Whether an unfinished line begins with a whole record and goes on.
fn follows_a_record(line: &[u8]) -> bool {
    let ends = memchr::memmem::find_iter(line, br#""}"#).map(|at| at.saturating_add(2));
    ends.filter(|&end| end < line.len())
        .any(|end| line.get(..end).is_some_and(|record| Line::parse_in_tail(record).is_some()))
}

/// Whether every run of NULs begins after a line feed or at a block, and ends at a block or at the
/// end of the file.
fn nuls_are_lost_blocks(tail: &[u8], offset: u64) -> bool {
    let at_block = |index: usize| {
        let index = u64::try_from(index).unwrap_or(u64::MAX);
        offset.saturating_add(index).is_multiple_of(BLOCK_BYTES)
    };
    let mut runs = tail.iter().enumerate().scan(b'\n', |before, (index, &byte)| {
        let previous = std::mem::replace(before, byte);
        Some((index, previous, byte))
    });
    // The tail begins where a whole record ended, that is after a line feed.
    runs.all(|(index, before, byte)| match (before == 0, byte == 0) {
        (false, true) => before == b'\n' || at_block(index),
        (true, false) => at_block(index),
        (false, false) | (true, true) => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &[u8] = br#"{"v":1,"seq":0,"audit_id":"audit-sshd.LabSZ-0000000000000000","timestamp":"2026-01-02T00:00:00.000000000Z","service_id":"sshd.LabSZ","event":{"event_type":"segment_opened","log_id":"dd56de4137951d9c92681b03416ec15f","merkle_frontier":[]},"prev_hash":"0000000000000000000000000000000000000000000000000000000000000000","hash":"2e5664b109192772a9de09331df5df6123ea95732979c8affa07df38371c0e9e"}"#;

    fn with(before: &[u8], after: &[u8]) -> Vec<u8> {
        [before, GOLDEN, after].concat()
    }

    #[test]
    fn an_interrupted_append_looks_like_a_crash_wherever_it_stops() {
        for length in 1..=GOLDEN.len() {
            let found = examine(&GOLDEN[..length], 700, None);
            assert_eq!(found, Ok(Found { valid_records: 0, looks: TailKind::Torn }), "{length}");
        }
    }

    #[test]
    fn lost_blocks_look_like_a_crash() {
        assert_eq!(examine(&[0; 100], 3, None).unwrap().looks, TailKind::Zeros);
        let resumed = with(&[0; 512 - 3], b"\n");
        let found = examine(&resumed, 3, None).unwrap();
        assert_eq!(found, Found { valid_records: 0, looks: TailKind::Torn });
        let behind = [&[0; 512 - 3], &b"\"}\n"[..], GOLDEN, b"\n"].concat();
        let found = examine(&behind, 3, None).unwrap();
        assert_eq!(found, Found { valid_records: 1, looks: TailKind::Superseded });
    }

    #[test]
    fn a_changed_byte_does_not_look_like_a_crash() {
        let mut changed = with(b"", b"\n");
        changed[40] ^= 1;
        assert!(examine(&changed, 0, None).is_err());
        changed[40] = 0;
        assert!(examine(&changed, 0, None).is_err());
        assert!(examine(&with(b"", b"\x0b"), 0, None).is_err());
        assert!(examine(&with(b"", &GOLDEN[..9]), 0, None).is_err());
    }

    #[test]
    fn a_record_taken_out_put_in_or_moved_does_not_look_like_a_crash() {
        assert!(examine(&with(b"", b"\n"), 0, None).is_err(), "begins with a whole record");
        let lost = [&[0; 512], &b"\"}\n"[..]].concat();
        let one = [&lost, GOLDEN, b"\n"].concat();
        assert_eq!(examine(&one, 0, None).unwrap().valid_records, 1);
        let twice = [&one, GOLDEN, b"\n"].concat();
        assert!(examine(&twice, 0, None).is_err(), "the second does not follow the first");
        let rest = 1_024 - one.len() % 512;
        let apart = [&one, &vec![0; rest][..], b"\"}\n", GOLDEN, b"\n"].concat();
        assert_eq!(examine(&apart, 0, None).unwrap().valid_records, 2, "lost blocks stand between");
    }

    #[test]
    fn nuls_off_the_blocks_do_not_look_like_a_crash() {
        assert!(examine(&with(&[0; 512], b""), 3, None).is_err());
        assert!(examine(b"abc\0\0\0", 0, None).is_err());
        assert!(examine(b"abc\0\0\0", 509, None).is_ok());
    }
}
