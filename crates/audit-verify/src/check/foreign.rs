//! Records of a version that is not known: their beginning, end and hash are those of any version.

use audit_core::Digest;
use audit_core::limits::FORMAT_VERSION;

use super::chain::Link;
use super::{Assessed, Checker};
use crate::broken::{self, Broken};
use crate::finding::{Code, Finding, Place};
use crate::parse::record::{Foreign, Hashed, RECORD_START, RecordFault};

impl Checker {
    /// A line of a version that is not known is one of that which was announced.
    pub(super) fn assess_foreign<'l>(&self, hashed: Hashed<'l>) -> Assessed<'l> {
        let announced = self.state.opening.announced();
        match Foreign::parse(hashed.body) {
            Err(fault) => Assessed::Malformed { fault, hashed },
            Ok(foreign) if announced.is_some_and(|version| version != foreign.version) => {
                let (code, at) = (Code::VersionChanged, RECORD_START.len());
                let what = "the version is not the one that was announced";
                Assessed::Malformed { fault: RecordFault { code, at, what }, hashed }
            }
            Ok(foreign) => {
                let link = self.link(foreign.seq, &foreign.prev_hash);
                Assessed::Foreign { foreign, hash: hashed.computed, link }
            }
        }
    }

    /// Takes such a record: the chain, the tree and what is compared with them go on through it.
    pub(super) fn apply_foreign(
        &mut self,
        foreign: &Foreign,
        hash: Digest,
        link: Link,
        place: Place<'_>,
    ) {
        let Foreign { version, seq, prev_hash, .. } = *foreign;
        if self.state.chain.is_none() {
            self.state.chain = Some(super::Chain::starting_at(seq));
        }
        self.say_once_that_it_is_unknown(version, place);
        let unlinked = self.link_finding(seq, prev_hash, link);
        if let Some(finding) = broken::unless(Broken::ForeignUnlinked, unlinked) {
            self.ledger.find(finding.at(place).seq(seq));
        }
        self.chain().settle(seq, &prev_hash, link);
        if !broken::is(Broken::ForeignHead) {
            self.state.trust.heads.compare(seq, hash, place, &mut self.ledger);
        }
        let name = self.state.opening.name().filter(|_| self.state.opening.is_first());
        if let Some(name) = name.filter(|name| name.first_seq != seq) {
            self.ledger.find(
                Finding::new(Code::SegmentNameMismatch, Code::SegmentNameMismatch.meaning())
                    .at(place)
                    .seq(seq)
                    .expected(format_args!("seq {seq}"))
                    .found(name),
            );
        }
        self.state.opening.foreign();
        self.push(seq, hash);
    }

    /// Once is enough: what follows is all alike.
    fn say_once_that_it_is_unknown(&mut self, version: u64, place: Place<'_>) {
        if std::mem::replace(&mut self.state.foreign_told, true) {
            return;
        }
        self.ledger.find(
            Finding::new(Code::VersionUnknown, Code::VersionUnknown.meaning())
                .at(place)
                .expected(format_args!("version {FORMAT_VERSION}"))
                .found(format_args!("version {version}")),
        );
    }
}
