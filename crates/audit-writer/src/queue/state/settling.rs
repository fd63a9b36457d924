//! What becomes of tickets, and who is told.

use audit_core::Receipt;

use super::super::receipt::Slot;
use super::super::settled::Settled;
use super::State;
use crate::error::WriteError;
use crate::sync::Arc;

impl State {
    /// Notes records as durable. Puts into `told` who wants to know.
    pub(crate) fn settle(
        &mut self,
        records: &[(u64, Receipt)],
        last_durable: Option<Receipt>,
        told: &mut Vec<(Arc<Slot>, Receipt)>,
    ) {
        for &(ticket, record) in records {
            self.settled.add(ticket);
            self.durable = self.durable.saturating_add(1);
            told.extend(self.slots.take(ticket).map(|slot| (slot, record)));
        }
        self.last_durable = last_durable;
    }

    /// Notes that records may not be in the log. Returns who wants to know.
    pub(crate) fn settle_badly(&mut self, tickets: Vec<u64>, cause: &WriteError) -> Vec<Arc<Slot>> {
        let mut told = Vec::new();
        for &ticket in &tickets {
            self.settled.add(ticket);
            told.extend(self.slots.take(ticket));
        }
        self.settled.note_failure(tickets, cause.clone());
        told
    }

    /// Which tickets are settled.
    pub(crate) fn settled(&self) -> &Settled {
        &self.settled
    }

    /// The slot for what becomes of a ticket; `None` when it is settled.
    pub(crate) fn slot(&mut self, ticket: u64) -> Option<Arc<Slot>> {
        (!self.settled.contains(ticket)).then(|| self.slots.add(ticket))
    }
}
