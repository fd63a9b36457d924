//! When a new segment is due: a pure decision.

use audit_core::RotationPolicy;
use audit_core::limits::SEGMENT_DAYS_MAX;
use chrono::NaiveDate;

use crate::broken::{self, Broken};

/// The current segment.
#[derive(Clone, Copy, Debug)]
pub struct Current {
    /// The date in its name.
    pub date: NaiveDate,
    /// Its length in bytes.
    pub bytes: u64,
    /// Records in it beside its opening ones.
    pub records: u64,
    /// How large in bytes a file may become for this process, where that is limited.
    pub file_bytes_max: Option<u64>,
}

/// Whether a record of at most `incoming_bytes`, written at `today`, belongs into a new segment.
///
/// Under every policy one is begun before a file becomes larger than the process may write. A clock that
/// has gone back is no reason: the date only counts when it is later. A segment with
/// no record of its own is never left, or one larger than the limit would rotate for ever.
#[must_use]
pub fn due(
    policy: RotationPolicy,
    current: Current,
    today: NaiveDate,
    incoming_bytes: u64,
) -> bool {
    let outlived = today > current.date;
    // What a segment is begun for tells how old those before it are.
    let aged = today.signed_duration_since(current.date).num_days() > SEGMENT_DAYS_MAX
        && !broken::is(Broken::SegmentAgeless);
    let outgrown = |bytes_max| current.bytes.saturating_add(incoming_bytes) > bytes_max;
    let is_due = match policy {
        RotationPolicy::Daily => outlived,
        RotationPolicy::SizeLimit { bytes_max } => aged || outgrown(bytes_max),
        RotationPolicy::Both { bytes_max } => outlived || outgrown(bytes_max),
    };
    current.records > 0 && (is_due || current.file_bytes_max.is_some_and(outgrown))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, day).unwrap()
    }

    fn current(bytes: u64) -> Current {
        Current { date: day(2), bytes, records: 1, file_bytes_max: None }
    }

    const SIZE: RotationPolicy = RotationPolicy::SizeLimit { bytes_max: 1_000 };
    const BOTH: RotationPolicy = RotationPolicy::Both { bytes_max: 1_000 };

    #[test]
    fn a_later_date_is_due_and_an_earlier_one_is_not() {
        for (policy, due_later) in [(RotationPolicy::Daily, true), (BOTH, true), (SIZE, false)] {
            assert_eq!(due(policy, current(0), day(3), 1), due_later);
            assert!(!due(policy, current(0), day(2), 1));
            assert!(!due(policy, current(0), day(1), 1));
        }
    }

    #[test]
    fn a_segment_of_more_than_31_days_is_due_under_every_policy() {
        let days = |days| day(2).checked_add_days(chrono::Days::new(days)).unwrap();
        assert!(!due(SIZE, current(0), days(31), 1) && due(SIZE, current(0), days(32), 1));
        assert!(due(BOTH, current(0), days(32), 1));
    }

    #[test]
    fn size_is_due_when_the_record_would_pass_it() {
        for (policy, due_larger) in [(RotationPolicy::Daily, false), (BOTH, true), (SIZE, true)] {
            assert!(!due(policy, current(900), day(2), 100));
            assert_eq!(due(policy, current(900), day(2), 101), due_larger);
        }
    }

    #[test]
    fn a_file_that_may_grow_no_larger_is_left_under_every_policy() {
        let limited = Current { file_bytes_max: Some(500), ..current(400) };
        for policy in [RotationPolicy::Daily, SIZE, BOTH] {
            assert!(!due(policy, limited, day(2), 100) && due(policy, limited, day(2), 101));
        }
    }

    #[test]
    fn a_segment_without_a_record_of_its_own_is_not_left() {
        let fresh = Current { records: 0, file_bytes_max: Some(500), ..current(5_000) };
        for policy in [RotationPolicy::Daily, SIZE, BOTH] {
            assert!(!due(policy, fresh, day(9), 5_000));
        }
    }
}
