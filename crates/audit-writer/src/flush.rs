//! When a sync is due: a pure decision.

use std::time::Duration;

use audit_core::FlushMode;
use audit_core::limits::QUEUE_RECORDS_MAX;

use crate::broken::{self, Broken};

/// What has been written and is not yet durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unsynced {
    /// Events among it.
    pub events: u32,
    /// Whether one of them is critical.
    pub critical: bool,
    /// How long the oldest record has been waiting; `None` when nothing is.
    pub oldest_age: Option<Duration>,
}

/// Whether a sync is due now.
#[must_use]
pub fn due(mode: FlushMode, unsynced: Unsynced) -> bool {
    let Some(age) = unsynced.oldest_age else { return false };
    match bounds(mode) {
        None => true,
        Some(bounds) => {
            unsynced.events >= bounds.events
                || age >= bounds.interval
                || (bounds.critical_at_once && unsynced.critical)
        }
    }
}

/// How long until a sync is due if nothing else is written; `None` when nothing waits for one.
#[must_use]
pub fn due_in(mode: FlushMode, unsynced: Unsynced) -> Option<Duration> {
    let age = unsynced.oldest_age?;
    Some(bounds(mode).map_or(Duration::ZERO, |bounds| bounds.interval.saturating_sub(age)))
}

/// Records that may be accepted, acknowledged and not yet durable.
pub(crate) fn window(mode: FlushMode) -> u64 {
    let beyond = u64::from(broken::is(Broken::CountBound));
    bounds(mode).map_or(0, |bounds| u64::from(bounds.events).saturating_add(beyond))
}

/// Records that wait together in steady state, for which room is kept. One more than the window: the
/// record that has to be durable itself.
pub(crate) fn window_records(mode: FlushMode) -> usize {
    let records = usize::try_from(window(mode)).unwrap_or(usize::MAX);
    records.saturating_add(1).min(QUEUE_RECORDS_MAX)
}

/// How old a record may become before its sync starts; none waits where every record is synced at
/// once.
pub(crate) fn interval(mode: FlushMode) -> Option<Duration> {
    bounds(mode).map(|bounds| bounds.interval).filter(|_| !broken::is(Broken::TimerOff))
}

struct Bounds {
    events: u32,
    interval: Duration,
    critical_at_once: bool,
}

/// None where every record is synced at once. A count or interval of 0 means 1, so that no mode never
/// flushes, and a batch of one record is none.
fn bounds(mode: FlushMode) -> Option<Bounds> {
    let bounds = |events: u32, secs: u32, critical_at_once| {
        (events > 1 || broken::is(Broken::BatchOfOne)).then(|| Bounds {
            events: events.max(1),
            interval: Duration::from_secs(u64::from(secs.max(1))),
            critical_at_once: critical_at_once && !broken::is(Broken::CriticalLate),
        })
    };
    match mode {
        FlushMode::Immediate => None,
        FlushMode::Batched { size, interval_secs } => bounds(size, interval_secs, false),
        FlushMode::Hybrid { batch_size, batch_interval_secs, critical_immediate } => {
            bounds(batch_size, batch_interval_secs, critical_immediate)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCHED: FlushMode = FlushMode::Batched { size: 10, interval_secs: 60 };

    fn waiting(events: u32, secs: u64) -> Unsynced {
        let oldest_age = Some(Duration::from_secs(secs));
        Unsynced { events, critical: false, oldest_age }
    }

    #[test]
    fn nothing_is_due_when_nothing_waits() {
        for mode in [FlushMode::Immediate, BATCHED, FlushMode::default()] {
            assert!(!due(mode, Unsynced::default()));
            assert_eq!(due_in(mode, Unsynced::default()), None);
        }
    }

    #[test]
    fn a_batch_is_due_when_full_or_old() {
        assert!(!due(BATCHED, waiting(9, 59)));
        assert!(due(BATCHED, waiting(10, 0)));
        assert!(due(BATCHED, waiting(1, 60)));
        assert_eq!(due_in(BATCHED, waiting(1, 59)), Some(Duration::from_secs(1)));
    }

    #[test]
    fn an_idle_batch_is_due_by_time_alone_even_without_an_event_in_it() {
        assert!(due(BATCHED, waiting(0, 60)));
        assert!(!due(BATCHED, waiting(0, 59)));
    }

    #[test]
    fn a_critical_event_is_due_at_once_in_hybrid_only() {
        let critical = Unsynced { critical: true, ..waiting(1, 0) };
        assert!(due(FlushMode::default(), critical));
        assert!(!due(BATCHED, critical));
        let lax = FlushMode::Hybrid {
            batch_size: 100,
            batch_interval_secs: 1,
            critical_immediate: false,
        };
        assert!(!due(lax, critical));
    }

    #[test]
    fn zero_means_one() {
        let zero = FlushMode::Batched { size: 2, interval_secs: 0 };
        assert!(due(zero, waiting(0, 1)));
        assert!(!due(zero, waiting(0, 0)));
    }

    #[test]
    fn a_batch_of_one_or_none_is_synced_at_once() {
        for size in [0, 1] {
            let hybrid = FlushMode::Hybrid {
                batch_size: size,
                batch_interval_secs: 60,
                critical_immediate: false,
            };
            for mode in [FlushMode::Batched { size, interval_secs: 60 }, hybrid] {
                assert!(due(mode, waiting(0, 0)));
                assert_eq!((window(mode), interval(mode)), (0, None));
            }
        }
    }
}
