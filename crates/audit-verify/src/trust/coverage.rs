//! How far what is trusted covers a log, and what can therefore not be excluded.

use std::fmt;

use audit_core::EventTime;
use chrono::{DateTime, Utc};

use crate::broken::{self, Broken};
use crate::verdict::Verdict;

/// What to do about it.
const GIVE: &str = "Give a checkpoint (--pin FILE) or a head (--head SEQ:HASH) that was kept elsewhere to exclude \
     them up to it.";

/// How far what is trusted covers the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Coverage {
    /// Checkpoints beside the log.
    pub(crate) checkpoints: u64,
    /// Seq of the newest record that a checkpoint of a trusted key covers.
    pub(crate) signed: Option<u64>,
    /// Seq of the newest record that something kept elsewhere covers, and what that is.
    pub(crate) elsewhere: Option<(u64, Elsewhere)>,
    /// Seq of the newest record that a checkpoint covers which a quorum of witnesses had seen, and
    /// by when, in seconds since 1970-01-01T00:00:00Z.
    pub(crate) witnessed: Option<(u64, u64)>,
    /// Records since the checkpoint up to which the log was verified before.
    pub(crate) since: Option<u64>,
    /// Who vouches for the newest record that anybody vouches for, and the seq of that.
    pub(crate) vouched: Option<(u64, Vouched)>,
    /// The keys of the log that were given, and how many changes to other keys were followed.
    pub(crate) keys: Vec<String>,
    pub(crate) changes_followed: u64,
    /// Records at the end that no given key has signed for, where one was given.
    pub(crate) unsigned: Option<u64>,
}

/// Whose signature it is that vouches for records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vouched {
    pub(crate) origin: String,
    /// The key; `None` where a checkpoint counts because it was kept elsewhere, and no key was given.
    pub(crate) vkey: Option<String>,
}

/// What was kept elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    Head,
    Pin,
    Witnesses { cosigned_secs: u64 },
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str("a given head"),
            Self::Pin => f.write_str("a given checkpoint"),
            Self::Witnesses { cosigned_secs } => {
                let time = time_of(*cosigned_secs);
                write!(f, "a checkpoint that a quorum of witnesses had seen by {time}")
            }
        }
    }
}

impl Coverage {
    /// Takes note of what something kept elsewhere covers.
    pub(super) fn add(&mut self, seq: Option<u64>, what: Elsewhere) {
        let known = self.elsewhere.map(|(known, _)| known);
        self.elsewhere = seq.filter(|_| seq > known).map(|seq| (seq, what)).or(self.elsewhere);
    }

    /// Seq of the newest record that a checkpoint covers, beside the log or kept elsewhere.
    pub(crate) fn by_key(&self) -> Option<u64> {
        let kept = self.elsewhere.filter(|(_, what)| *what != Elsewhere::Head);
        self.signed.max(kept.map(|(seq, _)| seq))
    }

    /// Takes note of who vouches for the records up to this one.
    pub(super) fn vouch(&mut self, seq: Option<u64>, who: impl FnOnce() -> Vouched) {
        let known = self.vouched.as_ref().map(|(known, _)| *known);
        if let Some(seq) = seq.filter(|_| seq > known && !broken::is(Broken::VouchedUntold)) {
            self.vouched = Some((seq, who()));
        }
    }

    /// What is to be thought of a log with nothing wrong in it that ends with this record.
    pub(crate) fn level(&self, last_seq: Option<u64>) -> Verdict {
        match last_seq {
            None => Verdict::Unverifiable,
            Some(last) if self.elsewhere.is_some_and(|(seq, _)| seq >= last) => Verdict::Intact,
            Some(last) if self.signed >= Some(last) => Verdict::Signed,
            Some(_) => Verdict::Consistent,
        }
    }

    /// What can and what cannot be excluded.
    pub(crate) fn in_words(&self, verdict: Verdict, last_seq: Option<u64>) -> String {
        let Some(last) = last_seq else {
            return "There is no record, so nothing is covered.".to_owned();
        };
        if matches!(verdict, Verdict::Tampered | Verdict::Truncated) {
            return "This is not the whole log as it was written: see the findings.".to_owned();
        }
        match (self.level(last_seq), self.elsewhere, self.signed) {
            (Verdict::Intact, Some((_, what)), _) => {
                format!("Every record up to the last one, seq {last}, is covered by {what}.")
            }
            (Verdict::Signed, covered, _) => {
                let elsewhere = covered.map_or_else(String::new, |(seq, what)| {
                    format!(
                        " Records up to seq {seq} are covered by {what}: a rollback went no \
                             further back."
                    )
                });
                format!(
                    "Every record up to the last one, seq {last}, is covered by a checkpoint of a \
                     given key, so that a rewrite needs that key. A rollback to an older copy of \
                     log and checkpoints, or a rewrite by whoever has the key, cannot be \
                     excluded.{elsewhere}{} {GIVE}",
                    self.seen()
                )
            }
            (_, Some((seq, what)), signed) => format!(
                "Records up to seq {seq} are covered by {what}. After it, a cut tail or rewritten \
                 records cannot be excluded.{}{}",
                signed.filter(|signed| *signed > seq).map_or_else(String::new, by_key),
                self.seen()
            ),
            (_, None, Some(signed)) => format!(
                "Nothing kept elsewhere was given: a cut tail or a rollback to an older copy cannot \
                 be excluded, nor can records that were rewritten after the last checkpoint.{}{} \
                 {GIVE}",
                by_key(signed),
                self.seen()
            ),
            (_, None, None) => format!(
                "Nothing kept elsewhere was given: a cut tail, a rollback to an older copy, or a \
                 rewrite of the whole log cannot be excluded. {GIVE}"
            ),
        }
    }

    /// What witnesses had seen at a time that nothing bounds, beyond what else is covered.
    fn seen(&self) -> String {
        let covered = self.elsewhere.map(|(seq, _)| seq);
        let Some((seq, secs)) = self.witnessed.filter(|(seq, _)| Some(*seq) > covered) else {
            return String::new();
        };
        let (records, time) = (seq.saturating_add(1), time_of(secs));
        format!(
            " A quorum of witnesses had seen the first {records} records by {time}: the log may have \
             been rolled back to what it was then. Say how old that may be (--not-before TIME) to \
             exclude it."
        )
    }
}

/// A time in RFC 3339; what that cannot write is the last one it can.
pub(crate) fn time_of(secs: u64) -> EventTime {
    let at = i64::try_from(secs).ok().and_then(|secs| DateTime::from_timestamp(secs, 0));
    EventTime::from(at.unwrap_or(DateTime::<Utc>::MAX_UTC))
}

fn by_key(signed: u64) -> String {
    format!(
        " Records up to seq {signed} are covered by a checkpoint of a given key, so that a rewrite \
         of them needs that key."
    )
}
