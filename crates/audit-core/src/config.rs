//! What a log is configured with: where, for whom, when it flushes, rotates and may forget.

use std::path::PathBuf;
use std::time::Duration;

use crate::limits::{
    BATCH_INTERVAL_SECS_DEFAULT, BATCH_SIZE_DEFAULT, CALL_DEADLINE_SECS_DEFAULT, UNSYNCED_BYTES_MAX,
};
use crate::service::ServiceId;

/// When a record is made durable.
///
/// *Durable* means that `fdatasync` has covered the record and every earlier one of the log, and
/// that the segment's directory entry is synced. Whatever the mode, no more than 1 MiB is ever left
/// unsynced.
///
/// The loss window is what a killed process or a power cut may take away of records that were
/// accepted. A count or an interval of 0 means 1: there is no mode that never flushes.
///
/// Speeds are those of one producer in the recorded run `bench-runs/2026-11-25-baseline`, on a virtual
/// disk; `docs/performance.md` says how to measure yours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushMode {
    /// Every record is durable before the call that wrote it returns.
    ///
    /// - Loss window: none.
    /// - Use: low event rates, evidence in criminal or regulated matters, and whenever you are not
    ///   sure.
    /// - Compliance: the mode that needs no argument before an auditor. GDPR Art. 30 and 32
    ///   (accountability, integrity), SOC2 CC7.2 and CC7.3, ISO/IEC 27001:2022 A.8.15 (logging).
    /// - Speed: one disk sync a record, measured 7,960 events a second.
    Immediate,

    /// Records become durable together, whatever they are.
    ///
    /// - Loss window: at most `size` records, none older than `interval_secs`. **This includes
    ///   critical records.**
    /// - Use: development, and telemetry whose loss nobody will ever have to explain.
    /// - Compliance: **do not use where a record of a security event is owed.** A crash can take
    ///   away the record of the attack that caused it: this is hard to defend under GDPR Art. 33
    ///   (breach notification), SOC2 CC7.2 and ISO/IEC 27001:2022 A.8.15.
    /// - Speed: one disk sync for `size` records, measured 159,000 events a second with 100.
    Batched {
        /// Records accepted and not yet durable, at most. 1, or 0, is [`FlushMode::Immediate`].
        size: u32,
        /// Seconds after which the oldest record that is not yet durable is made so.
        interval_secs: u32,
    },

    /// Critical records are durable before the call returns, routine ones become so together.
    ///
    /// A critical record takes every routine one before it along. Which events are critical is a
    /// property of the event ([`crate::AuditEvent::is_critical`]), never of the caller.
    ///
    /// - Loss window: critical records none; routine ones at most `batch_size`, none older than
    ///   `batch_interval_secs`.
    /// - Use: production services; the default.
    /// - Compliance: name the routine window in your risk assessment. Where *every* access must be
    ///   evidenced (GDPR Art. 15 and 30 for records of access to personal data), use
    ///   [`FlushMode::Immediate`]. SOC2 CC7.2 and ISO/IEC 27001:2022 A.8.15 are usually met, since
    ///   security events are never batched.
    /// - Speed: one disk sync a critical record, one for `batch_size` routine ones; measured 175,000
    ///   routine events a second with 100, and 80,300 when every twentieth is critical.
    Hybrid {
        /// Routine records accepted and not yet durable, at most. 1, or 0, is
        /// [`FlushMode::Immediate`].
        batch_size: u32,
        /// Seconds after which the oldest record that is not yet durable is made so.
        batch_interval_secs: u32,
        /// Whether critical records are synced at once. **`false` makes this mode
        /// [`FlushMode::Batched`], with its warning.**
        critical_immediate: bool,
    },
}

impl FlushMode {
    /// The name that `log_opened` states.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::Batched { .. } => "batched",
            Self::Hybrid { .. } => "hybrid",
        }
    }

    /// The most bytes a writer in this mode leaves unsynced.
    #[must_use]
    pub const fn unsynced_bytes_max(self) -> u64 {
        UNSYNCED_BYTES_MAX
    }
}

/// [`FlushMode::Hybrid`] with 100 records, 1 second, critical records at once.
impl Default for FlushMode {
    fn default() -> Self {
        Self::Hybrid {
            batch_size: BATCH_SIZE_DEFAULT,
            batch_interval_secs: BATCH_INTERVAL_SECS_DEFAULT,
            critical_immediate: true,
        }
    }
}

/// When a new segment is begun. Decided before a record is written, so a record is never split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RotationPolicy {
    /// When the UTC date is later than that of the current segment.
    #[default]
    Daily,
    /// When the segment would grow beyond a size.
    SizeLimit {
        /// Bytes. A segment holds at least one record beside its opening ones, whatever its size.
        bytes_max: u64,
    },
    /// When either is due.
    Both {
        /// Bytes, as in [`RotationPolicy::SizeLimit`].
        bytes_max: u64,
    },
}

/// How long records are kept. Nothing is deleted unless someone prunes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// Days for which no record may be pruned. 2,555 by default: seven years, the longest period
    /// that the usual regimes ask for (SOC2 evidence, tax and accounting law).
    pub min_retention_days: u32,
    /// Days after which sealed segments may move to archive storage. 90 by default.
    pub archive_after_days: u32,
    /// Days after which records may be pruned. 2,555 by default.
    pub delete_after_days: u32,
}

impl Default for RetentionPolicy {
    fn default() -> Self {
        Self { min_retention_days: 2_555, archive_after_days: 90, delete_after_days: 2_555 }
    }
}

/// What becomes of hostile or over-long text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextPolicy {
    /// It is made visible or shortened, and the value is marked: no text can make an event vanish.
    #[default]
    Neutralise,
    /// The event is refused with an error that names the field, and counted as lost. Whoever
    /// chooses this accepts that an attacker's text can keep its own event out of the log.
    Reject,
}

/// What a call does when the logger's queue has no room, and how long it waits for anything.
///
/// Whatever is refused for want of room is counted, critical events too, and declared in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverflowPolicy {
    /// It waits until there is room.
    Block {
        /// How long a call waits, for room and for the disk together.
        deadline: Duration,
    },
    /// It is refused at once. A call that has to wait for the disk still does, for as long as by
    /// default.
    Reject,
}

impl OverflowPolicy {
    /// How long a call waits at most.
    #[must_use]
    pub const fn deadline(self) -> Duration {
        match self {
            Self::Block { deadline } => deadline,
            Self::Reject => Duration::from_secs(CALL_DEADLINE_SECS_DEFAULT),
        }
    }
}

/// [`OverflowPolicy::Block`] for 5 seconds.
impl Default for OverflowPolicy {
    fn default() -> Self {
        Self::Block { deadline: Duration::from_secs(CALL_DEADLINE_SECS_DEFAULT) }
    }
}

/// What an open does with a log whose newest segment does not end as a crash leaves it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDamage {
    /// It refuses, so that nobody goes on over evidence without a decision.
    #[default]
    Refuse,
    /// It goes on behind the last whole, linked record, in a new segment that declares the damage
    /// with `damage_found`. **The log stays `tampered` for every verifier, for good**; what was
    /// found is left as it is. For a service that has to go on recording while somebody
    /// investigates.
    ContinueInNewSegment,
}

/// On which file systems a log may lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileSystems {
    /// On those that are known to be of this machine. Only there does the lock keep out every other
    /// writer, and does a sync mean what the flush modes promise.
    #[default]
    Local,
    /// On any, network file systems and FUSE among them. **Whoever chooses this answers for it**
    /// that a lock holds between all machines that reach the directory, and that a sync reaches
    /// the disk.
    Any,
}

/// What an open of a log puts up with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenPolicy {
    /// A log that is damaged.
    pub on_damage: OnDamage,
    /// A directory on a file system that is not local.
    pub file_systems: FileSystems,
    /// A log that signs, where no key is given.
    pub keyless: Keyless,
    /// A log that is a copy.
    pub copies: Copies,
}

/// What becomes of a log that signs when it is opened without its key.
///
/// Records of such a writer have neither a seal nor a checkpoint, so nothing tells them from those
/// that somebody else put there. The next open with the key needs an operator's word for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keyless {
    /// It is refused: a log that signs is not left unsigned by an oversight.
    #[default]
    Refuse,
    /// It continues unsigned, and says so in `log_opened`.
    Unsigned,
}

/// What becomes of a log that is a copy: its directory or its newest segment is another file than the
/// one that the segment was made as.
///
/// A log is a copy after it was restored from a backup, moved to another file system, or cloned file
/// by file. A clone of the whole disk is not noticed, nor is any copy on a file system that does not
/// say when a file was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Copies {
    /// It goes on, since a service has to start, and says so in `log_copied`.
    #[default]
    Declare,
    /// It is refused: what was copied may have gone on where it was copied from.
    Refuse,
}

/// Where records go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditMode {
    /// Into a directory of this machine.
    Local {
        /// The log's directory. It is made, mode 0700, when it is absent and its parent is there.
        dir: PathBuf,
    },
    /// Nowhere: every call succeeds and records nothing. For tests of the service that embeds the
    /// log, **never for production**.
    Disabled,
}

/// Everything a log is configured with. Shared behind an `Arc`, since it never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditConfig {
    /// The service that the log belongs to.
    pub service_id: ServiceId,
    /// Where records go.
    pub mode: AuditMode,
    /// When they become durable.
    pub flush_mode: FlushMode,
    /// When a new segment is begun.
    pub rotation_policy: RotationPolicy,
    /// How long they are kept.
    pub retention_policy: RetentionPolicy,
    /// What becomes of hostile text in them.
    pub text_policy: TextPolicy,
    /// What happens when they come faster than the disk takes them.
    pub overflow_policy: OverflowPolicy,
    /// What the open puts up with.
    pub open_policy: OpenPolicy,
}

impl AuditConfig {
    /// A log of `service_id` in `dir`, everything else as by default.
    #[must_use]
    pub fn local(service_id: ServiceId, dir: impl Into<PathBuf>) -> Self {
        Self {
            service_id,
            mode: AuditMode::Local { dir: dir.into() },
            flush_mode: FlushMode::default(),
            rotation_policy: RotationPolicy::default(),
            retention_policy: RetentionPolicy::default(),
            text_policy: TextPolicy::default(),
            overflow_policy: OverflowPolicy::default(),
            open_policy: OpenPolicy::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_decided_ones() {
        let hybrid =
            FlushMode::Hybrid { batch_size: 100, batch_interval_secs: 1, critical_immediate: true };
        assert_eq!(FlushMode::default(), hybrid);
        let kept = RetentionPolicy {
            min_retention_days: 2_555,
            archive_after_days: 90,
            delete_after_days: 2_555,
        };
        assert_eq!(RetentionPolicy::default(), kept);
        assert_eq!(RotationPolicy::default(), RotationPolicy::Daily);
        let patient = OverflowPolicy::Block { deadline: Duration::from_secs(5) };
        assert_eq!(OverflowPolicy::default(), patient);
        let strict = OpenPolicy {
            on_damage: OnDamage::Refuse,
            file_systems: FileSystems::Local,
            keyless: Keyless::Refuse,
            copies: Copies::Declare,
        };
        assert_eq!(OpenPolicy::default(), strict);
    }
}
