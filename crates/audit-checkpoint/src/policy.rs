//! Which logs are known, and which witnesses are enough (c2sp.org/tlog-policy).

mod parse;
#[cfg(test)]
mod tests;

pub use parse::{PolicyError, PolicyFault};

use crate::checkpoint::SignedCheckpoint;
use crate::cosignature::COSIGNED_SECS_MAX;
use crate::key::{VerifyingKey, WitnessKey};

/// What a checkpoint has to have below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    /// Each has members that stand before it.
    groups: Vec<Group>,
    rule: Rule,
}

/// A log that a policy knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyLog {
    /// The key of the log; its name is the origin.
    pub key: VerifyingKey,
    /// Where the log is, in bytes that nothing here reads.
    pub url: Option<Vec<u8>>,
}

/// A witness that a policy knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyWitness {
    /// What the policy calls it, in bytes that are only compared; outside of the policy the name
    /// means nothing.
    pub name: Vec<u8>,
    /// Its key.
    pub key: WitnessKey,
    /// Where the witness is, in bytes that nothing here reads.
    pub url: Option<Vec<u8>>,
}

/// So many of the members, each a witness or a group before this one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    threshold: usize,
    members: Vec<Member>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Member {
    Witness(usize),
    Group(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// `quorum none`
    Nobody,
    Of(Member),
}

/// Whether enough witnesses cosigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quorum {
    /// The policy asks for no witness.
    NotRequired,
    /// Enough of them did.
    Met {
        /// The latest time since which enough of them have seen the checkpoint, in seconds since
        /// 1970-01-01T00:00:00Z: leaving out all cosignatures before it, the quorum is still met.
        cosigned_secs: u64,
    },
    /// Not enough of them did.
    NotMet,
}

/// What a policy says of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation<'p> {
    cosigned: Vec<(&'p PolicyWitness, u64)>,
    quorum: Quorum,
    knows_log: bool,
}

impl Policy {
    /// The logs, as they stand in the policy. Where there are none, which log is meant is known from
    /// elsewhere.
    #[must_use]
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// The witnesses, as they stand in the policy.
    #[must_use]
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.witnesses
    }

    /// The keys of all of them that can be verified with, to open a checkpoint with.
    #[must_use]
    pub fn keys(&self) -> Vec<VerifyingKey> {
        let logs = self.logs.iter().map(|log| &log.key);
        let witnesses = self.witnesses.iter().filter_map(|witness| witness.key.verifying_key());
        logs.chain(witnesses).cloned().collect()
    }

    /// Who of the witnesses cosigned a checkpoint, and whether that is enough. Only signatures count
    /// whose keys were among those that the checkpoint was opened with.
    #[must_use]
    pub fn evaluate(&self, checkpoint: &SignedCheckpoint) -> Evaluation<'_> {
        self.evaluate_until(checkpoint, COSIGNED_SECS_MAX)
    }

    /// The same, without the cosignatures of after this time, in seconds since
    /// 1970-01-01T00:00:00Z: what is dated into the future says nothing of when it was made.
    #[must_use]
    pub fn evaluate_until(&self, checkpoint: &SignedCheckpoint, until_secs: u64) -> Evaluation<'_> {
        let secs_of = |witness: &PolicyWitness| {
            let key = witness.key.verifying_key()?;
            checkpoint.cosigned_until(key, until_secs)
        };
        let secs: Vec<Option<u64>> = self.witnesses.iter().map(secs_of).collect();
        let cosigned = self.witnesses.iter().zip(&secs);
        let cosigned = cosigned.filter_map(|(witness, secs)| Some((witness, (*secs)?))).collect();
        let mut logs = self.logs.iter();
        let knows_log =
            self.logs.is_empty() || logs.any(|log| checkpoint.log_keys().contains(&log.key));
        Evaluation { cosigned, quorum: self.quorum(&secs), knows_log }
    }

    /// Whether the quorum is met, and since when, by witnesses that cosigned at these times.
    fn quorum(&self, witnesses: &[Option<u64>]) -> Quorum {
        let mut groups: Vec<Option<u64>> = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let members = group.members.iter();
            let mut secs: Vec<u64> =
                members.filter_map(|member| member.secs(witnesses, &groups)).collect();
            secs.sort_unstable_by(|one, other| other.cmp(one));
            groups.push(secs.get(group.threshold.saturating_sub(1)).copied());
        }
        match self.rule {
            Rule::Nobody => Quorum::NotRequired,
            Rule::Of(member) => member
                .secs(witnesses, &groups)
                .map_or(Quorum::NotMet, |cosigned_secs| Quorum::Met { cosigned_secs }),
        }
    }
}

impl Member {
    fn secs(self, witnesses: &[Option<u64>], groups: &[Option<u64>]) -> Option<u64> {
        match self {
            Self::Witness(index) => witnesses.get(index).copied().flatten(),
            Self::Group(index) => groups.get(index).copied().flatten(),
        }
    }
}

impl Evaluation<'_> {
    /// The witnesses that cosigned, as they stand in the policy, each with the time in seconds since
    /// 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn cosigned(&self) -> &[(&PolicyWitness, u64)] {
        &self.cosigned
    }

    /// Whether they are enough.
    #[must_use]
    pub fn quorum(&self) -> Quorum {
        self.quorum
    }

    /// Whether one of the policy's logs signed, or the policy names none.
    #[must_use]
    pub fn knows_log(&self) -> bool {
        self.knows_log
    }

    /// Whether the checkpoint is valid: "signed by any one of the listed logs, and cosigned by
    /// witnesses according to the defined quorum rule" (c2sp.org/tlog-policy).
    #[must_use]
    pub fn is_satisfied(&self) -> bool {
        self.knows_log && self.quorum != Quorum::NotMet
    }
}
