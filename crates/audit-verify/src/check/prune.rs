//! Logs that do not begin at seq 0: the surviving chain has to say why.

use std::collections::VecDeque;

use audit_core::limits::PRUNED_FILES_MAX;
use audit_core::{Digest, Frontier};

use crate::broken::{self, Broken};
use crate::finding::{Code, Finding, Ledger, Notice, NoticeCode};
use crate::parse::lifecycle::{NewestPrune, SegmentsPruned};
use crate::scan::SegmentName;
use crate::verdict::Verdict;

/// What is known of the beginning of the log, and of what was deleted before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Pruning {
    /// Where the first segments begin: a deletion that a crash interrupted leaves at most as many
    /// of its own as one record names.
    starts: VecDeque<Start>,
    /// What records of the surviving chain say of it and agree with what there is, oldest first.
    accounts: Vec<Account>,
    contradicted: bool,
    /// Whether a segment that cannot be read stands before the first one.
    follows_unread: bool,
    /// The newest prune, as the newest record says that tells of one.
    newest: Option<Newest>,
}

/// A record that says why the beginning is not there.
#[derive(Clone, Copy, Debug)]
struct Account {
    /// Its seq.
    seq: u64,
    last_seq: u64,
    /// Whether it has to be covered by a checkpoint before anything is deleted.
    needs_checkpoint: bool,
}

/// Where a record stands that tells of a deletion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Declared {
    pub(super) seq: u64,
    /// Whether something before it is damaged.
    pub(super) damaged: bool,
    /// Whether a checkpoint has to cover it before anything is deleted.
    pub(super) needs_checkpoint: bool,
}

/// The newest prune.
#[derive(Clone, Copy, Debug)]
struct Newest {
    prune: NewestPrune,
    last_hash: Digest,
    /// Whether its record has been read.
    survives: bool,
    /// Whether every later segment has to name it.
    is_owed: bool,
}

/// The first record of a segment.
#[derive(Clone, Debug)]
struct Start {
    name: SegmentName,
    seq: u64,
    prev_hash: Digest,
    roots: Vec<Digest>,
}

impl Pruning {
    /// Notes where a segment starts.
    pub(super) fn segment_starts(
        &mut self,
        name: SegmentName,
        seq: u64,
        prev_hash: Digest,
        roots: Vec<Digest>,
    ) {
        if self.starts.len() <= PRUNED_FILES_MAX {
            self.starts.push_back(Start { name, seq, prev_hash, roots });
        }
    }

    /// Notes a segment that cannot be read.
    pub(super) fn lose(&mut self) {
        self.follows_unread |= self.starts.is_empty();
    }

    /// Seq of the first record that there is.
    pub(super) fn begins(&self) -> Option<u64> {
        self.starts.front().map(|first| first.seq)
    }

    /// Compares what a record says was deleted with what survives.
    pub(super) fn declared(
        &mut self,
        pruned: &SegmentsPruned,
        declared: Declared,
    ) -> Option<Finding> {
        let Declared { seq, damaged, needs_checkpoint } = declared;
        let next = pruned.last_seq.saturating_add(1);
        let roots = pruned.frontier();
        let is_sound = !pruned.is_exact() || self.is_sound(pruned, damaged);
        self.newest = Some(Newest {
            prune: NewestPrune::new(seq, pruned.last_seq, pruned.last_hash()),
            last_hash: pruned.last_hash(),
            survives: true,
            is_owed: pruned.is_exact(),
        });
        let first = self.starts.front()?;
        // What begins later was cut off by a later deletion, and that one has to attest it.
        let judged = first.seq <= next;
        let agrees = match self.starts.iter().find(|start| start.seq == next) {
            Some(start) => start.prev_hash == pruned.last_hash() && start.roots == roots,
            None => damaged || !judged,
        };
        let may_begin_there = first.seq == 0 || first.seq >= next || pruned.names(first.name);
        let agrees = agrees || broken::is(Broken::PruneFalse);
        let well_formed = pruned.last_seq < seq && Frontier::from_roots(next, &roots).is_some();
        if well_formed && agrees && may_begin_there && is_sound {
            if judged && first.seq > 0 && self.accounts.len() <= PRUNED_FILES_MAX {
                let last_seq = pruned.last_seq;
                self.accounts.push(Account { seq, last_seq, needs_checkpoint });
            }
            return None;
        }
        self.contradicted = true;
        let survives = format!("seq {} after {}", first.seq, first.prev_hash);
        Some(
            Finding::new(Code::PruneMismatch, Code::PruneMismatch.meaning())
                .expected(survives)
                .found(format_args!(
                    "deleted up to seq {}, {}",
                    pruned.last_seq,
                    pruned.last_hash()
                )),
        )
    }

    /// Whether the files of a prune reach without a gap from the prune before to its last record.
    fn is_sound(&self, pruned: &SegmentsPruned, damaged: bool) -> bool {
        let is_next = match (self.newest, pruned.after()) {
            (Some(before), Some(after)) => {
                damaged || after == (before.prune.last_seq, before.last_hash)
            }
            (Some(before), None) => damaged || !before.is_owed,
            // The record of the prune before may have been deleted itself.
            (None, Some(_)) => damaged || self.begins().is_none_or(|begins| begins > 0),
            (None, None) => true,
        };
        let is_next = is_next || broken::is(Broken::PruneAfter);
        is_next && (pruned.is_without_gap() || broken::is(Broken::PruneGap))
    }

    /// Compares which prune is the newest, as a segment says, with the records before it. A segment
    /// `is_complete` if its writer knows of all of these and names the newest prune.
    pub(super) fn check_newest(
        &mut self,
        stated: Option<NewestPrune>,
        seq: u64,
        damaged: bool,
        is_complete: bool,
    ) -> Option<Finding> {
        let is_right = match (stated, self.newest) {
            (None, None) => true,
            (None, Some(newest)) => !newest.is_owed || !is_complete,
            (Some(stated), Some(newest)) if newest.survives => stated == newest.prune,
            (Some(stated), known) => {
                let is_gone = self.begins().is_none_or(|begins| stated.seq < begins);
                let is_same = known.is_none_or(|known| known.prune == stated);
                is_gone && is_same && stated.last_seq < stated.seq && stated.seq < seq
            }
        };
        let known = self.newest;
        if let (Some(prune), None) = (stated, known) {
            let last_hash = prune.last_hash();
            self.newest = Some(Newest { prune, last_hash, survives: false, is_owed: true });
        }
        if is_right || damaged || broken::is(Broken::NewestPrune) {
            return None;
        }
        let said = |prune: Option<NewestPrune>| {
            prune.map_or_else(|| "none".to_owned(), |prune| format!("that at seq {}", prune.seq))
        };
        let finding = Finding::new(Code::NewestPruneFalse, Code::NewestPruneFalse.meaning());
        Some(finding.expected(said(known.map(|known| known.prune))).found(said(stated)))
    }

    /// Notes a segment that repeats no prune: the writers of the next ones read it, and none before.
    pub(super) fn owe_no_more(&mut self) {
        if let Some(newest) = &mut self.newest {
            newest.is_owed = false;
        }
    }

    /// Takes back what the records from `first_seq` on say: they were adopted, and attest nothing.
    pub(super) fn adopt_from(&mut self, first_seq: u64) {
        self.accounts.retain(|account| account.seq < first_seq || broken::is(Broken::AdoptedPrune));
        if let Some(newest) = self.newest.as_mut().filter(|newest| newest.prune.seq >= first_seq) {
            newest.is_owed = false;
        }
    }

    /// How many records were deleted from the beginning, where the log says so itself.
    pub(super) fn gone(&self) -> u64 {
        let said = self.accounts.iter().map(|account| account.last_seq.saturating_add(1)).max();
        said.and_then(|said| Some(said.min(self.begins()?))).unwrap_or_default()
    }

    /// Says that records are gone whose deletion no checkpoint covers, of a log that is covered up to
    /// this record. Writers of before `before`, which did not seal, deleted first.
    pub(super) fn check_attested(&self, covered: Option<u64>) -> Option<Finding> {
        let first = self.starts.front().filter(|first| first.seq > 0)?;
        let newest = self.accounts.last()?;
        let is_attested =
            |account: &Account| !account.needs_checkpoint || Some(account.seq) <= covered;
        (!self.accounts.iter().any(is_attested)).then(|| {
            Finding::new(Code::PruneNotAttested, Code::PruneNotAttested.meaning())
                .in_file(&first.name.to_string())
                .seq(first.seq)
                .expected(format_args!("a checkpoint that covers seq {}", newest.seq))
                .found(covered.map_or_else(|| "none".to_owned(), |seq| format!("up to seq {seq}")))
        })
    }

    /// Whether a record that cannot be read may say why the beginning is not there, or may be it. What
    /// cannot be read accounts for nothing by itself: the first segment has to follow it, a later one
    /// to repeat it, or bytes that were changed are found.
    fn may_be_said(&self, ledger: &Ledger) -> bool {
        let repeated = self.newest.map(|newest| newest.prune.last_seq.saturating_add(1));
        let begins = self.begins().unwrap_or_default();
        let is_said = self.follows_unread || repeated >= Some(begins);
        is_said || ledger.worst >= Some(Verdict::Tampered) || broken::is(Broken::HeadHidden)
    }

    /// Says at the end of the log whether its beginning is accounted for.
    ///
    /// `is_excused` tells whether an operator took the log over as it begins.
    pub(super) fn finish(
        &self,
        damaged: bool,
        is_excused: impl Fn(u64) -> bool,
        ledger: &mut Ledger,
    ) {
        let Some(first) = self.starts.front().filter(|first| first.seq > 0) else { return };
        let deleted = format!("the records before seq {} are not here", first.seq);
        let name = first.name.to_string();
        if !self.accounts.is_empty() || broken::is(Broken::HeadUnmissed) {
            let message = format!("{deleted}: a deletion that the log records");
            ledger.note(Notice::new(NoticeCode::PrunedPrefix, message).in_file(&name));
        } else if is_excused(first.seq) {
            let message = format!("{deleted}: an operator adopted the log as it begins");
            ledger.note(Notice::new(NoticeCode::RecordsAdopted, message).in_file(&name));
        } else if damaged && self.may_be_said(ledger) || self.contradicted {
            let message = format!("{deleted}, and what may say why is damaged");
            ledger.note(Notice::new(NoticeCode::HeadMissing, message).in_file(&name));
        } else {
            ledger.find(
                Finding::new(Code::HeadMissing, Code::HeadMissing.meaning())
                    .in_file(&name)
                    .seq(first.seq)
                    .expected("seq 0, or a segments_pruned that agrees")
                    .found(format_args!("seq {}", first.seq)),
            );
        }
    }
}
