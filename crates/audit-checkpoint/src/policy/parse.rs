//! Reads a policy, which is lines of bytes (c2sp.org/tlog-policy, "Policy file syntax and
//! structure").

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use audit_core::limits::{POLICY_BYTES_MAX, POLICY_ENTRIES_MAX};

use super::{Group, Member, Policy, PolicyLog, PolicyWitness, Rule};
use crate::encoding::from_decimal;
use crate::key::{KeyError, KeyKind, VerifyingKey, WitnessKey};

/// The name that stands for no witness at all.
const NOBODY: &[u8] = b"none";

/// Why a text is no policy, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct PolicyError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub fault: PolicyFault,
}

/// What is wrong in a policy: the first thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFault {
    /// The policy has more bytes than [`POLICY_BYTES_MAX`].
    #[error("a policy has at most {POLICY_BYTES_MAX} bytes")]
    TooLong,
    /// There are more logs, witnesses and groups than [`POLICY_ENTRIES_MAX`].
    #[error("a policy has at most {POLICY_ENTRIES_MAX} logs, witnesses and groups")]
    TooManyEntries,
    /// The last line has no line feed; a policy of which a part is missing may ask for less.
    #[error("the last line is not ended by a line feed")]
    Unterminated,
    /// The line holds a control character that is no tab.
    #[error("the line holds the byte 0x{0:02x}")]
    Character(u8),
    /// The line does not begin with `log`, `witness`, `group` or `quorum`, or has not the items that
    /// these have.
    #[error(
        "not one of: log VKEY [URL]; witness NAME VKEY [URL]; group NAME all|any|NUMBER NAME...; \
         quorum NAME"
    )]
    Form,
    /// The key cannot be read, or is of a type that is not known here. A witness of type 0x06 is
    /// taken, though it cannot be met yet: see [`WitnessKey`].
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key of a log is not of [`KeyKind::Ed25519`], or that of a witness is.
    #[error("this kind of key is not for that")]
    WrongKind,
    /// Another log, or another witness, has the same public key.
    #[error("the public key stands in the policy already")]
    DuplicateKey,
    /// Another witness or group has the name, or it is `none`.
    #[error("the name is taken")]
    DuplicateName,
    /// No line before this one defines the name, or it is `none` as a member.
    #[error("the name is not defined above")]
    UnknownName,
    /// The name is a member of a group already.
    #[error("the name is a member of a group already")]
    SecondMembership,
    /// The number of members is not 1 to their count, in decimal without leading zero.
    #[error("the number of members is not between 1 and their count")]
    Threshold,
    /// There is a quorum already.
    #[error("a second quorum")]
    SecondQuorum,
    /// There is none.
    #[error("no quorum")]
    NoQuorum,
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] with the first fault, as [`PolicyFault`] describes them.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let at = |line, fault| PolicyError { line, fault };
        if bytes.len() > POLICY_BYTES_MAX {
            return Err(at(1, PolicyFault::TooLong));
        }
        let mut draft = Draft::default();
        let mut last = 1;
        for (number, line) in (1..).zip(bytes.split_inclusive(|&byte| byte == b'\n')) {
            last = number;
            draft.read_line(line).map_err(|fault| at(number, fault))?;
        }
        let rule = draft.rule.ok_or_else(|| at(last, PolicyFault::NoQuorum))?;
        let Draft { logs, witnesses, groups, .. } = draft;
        Ok(Self { logs, witnesses, groups, rule })
    }
}

/// A policy of which some lines have been read.
#[derive(Default)]
struct Draft {
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    groups: Vec<Group>,
    rule: Option<Rule>,
    names: HashMap<Vec<u8>, Member>,
    /// Who is in a group already. "This ensures that each witness can contribute to a group, or to
    /// the quorum in particular, in only one way."
    members: HashSet<Member>,
}

impl Draft {
    fn read_line(&mut self, line: &[u8]) -> Result<(), PolicyFault> {
        let line = line.strip_suffix(b"\n").ok_or(PolicyFault::Unterminated)?;
        let is_control = |byte: &&u8| byte.is_ascii_control() && **byte != b'\t';
        if let Some(&byte) = line.iter().find(is_control) {
            return Err(PolicyFault::Character(byte));
        }
        let items = line.split(|byte| b" \t".contains(byte)).filter(|item| !item.is_empty());
        match *items.collect::<Vec<_>>().as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with(b"#") => Ok(()),
            [b"log", key] => self.log(key, None),
            [b"log", key, url] => self.log(key, Some(url)),
            [b"witness", name, key] => self.witness(name, key, None),
            [b"witness", name, key, url] => self.witness(name, key, Some(url)),
            [b"group", name, threshold, ref members @ ..] if !members.is_empty() => {
                self.group(name, threshold, members)
            }
            [b"quorum", name] => self.quorum(name),
            _ => Err(PolicyFault::Form),
        }
    }

    fn log(&mut self, key: &[u8], url: Option<&[u8]>) -> Result<(), PolicyFault> {
        let key: VerifyingKey = parse_key(key)?;
        if key.kind() != KeyKind::Ed25519 {
            return Err(PolicyFault::WrongKind);
        }
        if self.logs.iter().any(|log| log.key.public_bytes() == key.public_bytes()) {
            return Err(PolicyFault::DuplicateKey);
        }
        self.logs.push(PolicyLog { key, url: url.map(<[u8]>::to_vec) });
        self.check_count()
    }

    fn witness(&mut self, name: &[u8], key: &[u8], url: Option<&[u8]>) -> Result<(), PolicyFault> {
        let key: WitnessKey = parse_key(key)?;
        if !key.is_of_witness() {
            return Err(PolicyFault::WrongKind);
        }
        if self.witnesses.iter().any(|witness| witness.key.public() == key.public()) {
            return Err(PolicyFault::DuplicateKey);
        }
        self.define(name, Member::Witness(self.witnesses.len()))?;
        let (name, url) = (name.to_vec(), url.map(<[u8]>::to_vec));
        self.witnesses.push(PolicyWitness { name, key, url });
        self.check_count()
    }

    fn group(
        &mut self,
        name: &[u8],
        threshold: &[u8],
        members: &[&[u8]],
    ) -> Result<(), PolicyFault> {
        let threshold = match threshold {
            b"all" => members.len(),
            b"any" => 1,
            number => parse_number(number).ok_or(PolicyFault::Threshold)?,
        };
        if threshold == 0 || threshold > members.len() {
            return Err(PolicyFault::Threshold);
        }
        let members = members.iter().map(|name| self.join(name)).collect::<Result<_, _>>()?;
        // Only now, so that no group is its own member.
        self.define(name, Member::Group(self.groups.len()))?;
        self.groups.push(Group { threshold, members });
        self.check_count()
    }

    fn quorum(&mut self, name: &[u8]) -> Result<(), PolicyFault> {
        if self.rule.is_some() {
            return Err(PolicyFault::SecondQuorum);
        }
        let rule = if name == NOBODY { Rule::Nobody } else { Rule::Of(self.member(name)?) };
        self.rule = Some(rule);
        Ok(())
    }

    /// Gives a name a meaning: "witnesses and groups share a single namespace".
    fn define(&mut self, name: &[u8], member: Member) -> Result<(), PolicyFault> {
        if name == NOBODY || self.names.contains_key(name) {
            return Err(PolicyFault::DuplicateName);
        }
        self.names.insert(name.to_vec(), member);
        Ok(())
    }

    fn join(&mut self, name: &[u8]) -> Result<Member, PolicyFault> {
        let member = self.member(name)?;
        if !self.members.insert(member) {
            return Err(PolicyFault::SecondMembership);
        }
        Ok(member)
    }

    fn member(&self, name: &[u8]) -> Result<Member, PolicyFault> {
        self.names.get(name).copied().ok_or(PolicyFault::UnknownName)
    }

    fn check_count(&self) -> Result<(), PolicyFault> {
        let entries =
            [self.logs.len(), self.witnesses.len(), self.groups.len()].into_iter().sum::<usize>();
        if entries > POLICY_ENTRIES_MAX { Err(PolicyFault::TooManyEntries) } else { Ok(()) }
    }
}

fn parse_key<K: FromStr<Err = KeyError>>(text: &[u8]) -> Result<K, PolicyFault> {
    let text = std::str::from_utf8(text).map_err(|_| KeyError::Malformed)?;
    Ok(text.parse()?)
}

fn parse_number(text: &[u8]) -> Option<usize> {
    usize::try_from(from_decimal(std::str::from_utf8(text).ok()?)?).ok()
}
