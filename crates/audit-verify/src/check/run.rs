//! Records that other threads have looked at already, taken many at once.

use audit_core::Receipt;

use super::Checker;
use super::chain::Link;
use crate::piece::Run;
use crate::scan::lines::Span;

impl Checker {
    /// Takes a run of records as if each had been assessed and applied, if nothing is to be said of
    /// any of them: whether that was so.
    /// It begins with this span.
    pub(crate) fn take_run(&mut self, run: &Run, span: Span) -> bool {
        if !self.goes_on_with(run) {
            return false;
        }
        self.state.seals.take_run(run, span);
        for (seq, hash) in (run.first_seq..).zip(&run.hashes) {
            self.chain().push(seq, *hash);
            self.compare_checkpoints();
            self.state.stats.head = Some(Receipt { seq, hash: *hash });
        }
        let stats = &mut self.state.stats;
        stats.records = stats.records.saturating_add(run.records());
        stats.events = stats.events.saturating_add(run.records());
        stats.critical = stats.critical.saturating_add(run.critical);
        stats.last_timestamp.get_or_insert_default().clone_from(&run.last_timestamp);
        true
    }

    /// Whether the chain goes on with a run where any event may stand, and no head is of its records.
    /// The line before it is then a whole record, of a version that is known, and not the first: what
    /// is done at such a record is done.
    fn goes_on_with(&self, run: &Run) -> bool {
        let state = &self.state;
        let link = state.chain.as_ref().map(|chain| chain.link(run.first_seq, &run.prev_hash));
        link == Some(Link::Good)
            && state.opening.is_running()
            && state.seals.may_take(run)
            && state.service_id.as_ref() == Some(&run.service_id)
            && !state.trust.heads.any_within(run.first_seq..=run.last_seq)
            && !state.trust.claims.ask_time_within(run.first_seq..=run.last_seq)
    }
}
