//! The verdict: one word for a whole log.

use std::fmt;

use serde::Serialize;

/// What is to be thought of a log. The worst that applies is given, and they are in this order:
/// nobody must be able to turn [`Verdict::Tampered`] into something milder by adding damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Verdict {
    /// Every byte is accounted for, and the last record is covered by something kept elsewhere.
    Intact,
    /// Nothing is wrong inside, and a checkpoint of a given key covers every record: a rewrite needs
    /// that key. A rollback to an older copy is not excluded.
    Signed,
    /// Nothing is wrong inside, and nothing trusted covers the end.
    Consistent,
    /// The newest segment ends as a crash leaves it, and nothing else is wrong.
    Torn,
    /// What was asked cannot be decided, or there is no record at all.
    Unverifiable,
    /// Nothing is wrong inside, but a record is absent that something proves to have existed.
    Truncated,
    /// Bytes contradict the chain, a checkpoint, each other, or what was kept elsewhere.
    Tampered,
}

impl Verdict {
    /// The worse of the worst that was found and of what is thought of a log where nothing was.
    pub(crate) fn of(worst: Option<Self>, unbroken: Self) -> Self {
        worst.map_or(unbroken, |worst| worst.max(unbroken))
    }

    /// The exit status of a command that says this.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Intact | Self::Signed | Self::Consistent => 0,
            Self::Tampered | Self::Truncated => 1,
            Self::Unverifiable => 3,
            Self::Torn => 4,
        }
    }

    /// The name in a report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::Signed => "signed",
            Self::Consistent => "consistent",
            Self::Torn => "torn",
            Self::Unverifiable => "unverifiable",
            Self::Truncated => "truncated",
            Self::Tampered => "tampered",
        }
    }

    /// What it means, in one sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Intact => {
                "every byte is accounted for, and something kept elsewhere covers the last record"
            }
            Self::Signed => {
                "nothing is wrong inside, and a checkpoint of a given key covers the last record"
            }
            Self::Consistent => "nothing is wrong inside, and nothing trusted covers the end",
            Self::Torn => "the newest segment ends as a crash leaves it, and nothing else is wrong",
            Self::Unverifiable => "what was asked cannot be decided",
            Self::Truncated => "records are absent that something proves to have existed",
            Self::Tampered => {
                "bytes contradict the chain, a checkpoint, each other, or what was kept elsewhere"
            }
        }
    }
}

/// Whether records that an operator adopted may be among those that are required to be covered. The
/// log's key covers them only from the moment of the adoption on: who made them, nobody has shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AdoptedRecords {
    /// A log with such records meets no requirement but the least.
    #[default]
    Refuse,
    /// They count like any other.
    Allow,
}

/// What a log has to be covered by. What is found in it is another question: a log that ends as a
/// crash leaves it may be covered to its last record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing.
    #[default]
    Consistent,
    /// A checkpoint of a given key covers the last record, or something kept elsewhere does.
    Signed,
    /// Something kept elsewhere covers the last record.
    Intact,
}

impl Requirement {
    /// Whether a log is good enough of which this would be thought if nothing were found in it.
    pub(crate) fn is_met(self, unbroken: Verdict) -> bool {
        match self {
            Self::Consistent => true,
            Self::Signed => unbroken <= Verdict::Signed,
            Self::Intact => unbroken <= Verdict::Intact,
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Consistent => "consistent",
            Self::Signed => "signed",
            Self::Intact => "intact",
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_verdict_is_the_greatest_and_has_its_exit_code() {
        let from_worst = [
            (Verdict::Tampered, 1),
            (Verdict::Truncated, 1),
            (Verdict::Unverifiable, 3),
            (Verdict::Torn, 4),
            (Verdict::Consistent, 0),
            (Verdict::Signed, 0),
            (Verdict::Intact, 0),
        ];
        assert!(from_worst.is_sorted_by(|(worse, _), (better, _)| worse > better));
        let meanings: std::collections::BTreeSet<_> =
            from_worst.iter().map(|(verdict, _)| verdict.meaning()).collect();
        assert_eq!(meanings.len(), from_worst.len(), "each means something else");
        for (verdict, code) in from_worst {
            assert_eq!(verdict.exit_code(), code);
            assert_eq!(
                serde_json::to_string(&verdict).unwrap(),
                format!("\"{verdict}\""),
                "the report's name is the JSON's"
            );
        }
    }
}
