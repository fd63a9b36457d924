//! Logs that do not begin at seq 0: the surviving chain has to say why.

use std::collections::VecDeque;

use audit_core::limits::PRUNED_FILES_MAX;
use audit_core::{Digest, Frontier};

use crate::finding::{Code, Finding, Ledger, Notice, NoticeCode};
use crate::parse::lifecycle::SegmentsPruned;
use crate::scan::SegmentName;

/// What is known of the beginning of the log, and of what was deleted before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Pruning {
    /// Where the first segments begin: a deletion that a crash interrupted leaves at most as many
    /// of its own as one record names.
    starts: VecDeque<Start>,
    /// The last record that was deleted, once a record of the surviving chain agrees with it.
    attested: Option<u64>,
    contradicted: bool,
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

    /// Compares what the record at `seq` says was deleted with what survives.
    pub(super) fn declared(
        &mut self,
        pruned: &SegmentsPruned,
        seq: u64,
        damaged: bool,
    ) -> Option<Finding> {
        let next = pruned.last_seq.saturating_add(1);
        let roots = pruned.frontier();
        let first = self.starts.front()?;
        // What begins later was cut off by a later deletion, and that one has to attest it.
        let judged = first.seq <= next;
        let agrees = match self.starts.iter().find(|start| start.seq == next) {
            Some(start) => start.prev_hash == pruned.last_hash() && start.roots == roots,
            None => damaged || !judged,
        };
        let may_begin_there = first.seq == 0 || first.seq >= next || pruned.names(first.name);
        let well_formed = pruned.last_seq < seq && Frontier::from_roots(next, &roots).is_some();
        if well_formed && agrees && may_begin_there {
            if judged && first.seq > 0 {
                self.attested = self.attested.max(Some(pruned.last_seq));
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

    /// The last record that was deleted, as the surviving chain says.
    pub(super) fn attested(&self) -> Option<u64> {
        self.attested
    }

    /// Says at the end of the log whether its beginning is accounted for.
    pub(super) fn finish(&self, damaged: bool, ledger: &mut Ledger) {
        let Some(first) = self.starts.front().filter(|first| first.seq > 0) else { return };
        let deleted = format!("the records before seq {} are not here", first.seq);
        let name = first.name.to_string();
        if self.attested.is_some() {
            let message = format!("{deleted}: a deletion that the log records");
            ledger.note(Notice::new(NoticeCode::PrunedPrefix, message).in_file(&name));
        } else if damaged || self.contradicted {
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
