//! Who wants to know what becomes of a ticket.

use std::collections::VecDeque;

use super::receipt::Slot;
use crate::sync::Arc;

/// The slots of receipts, in the order of their tickets.
#[derive(Debug, Default)]
pub(super) struct Slots(VecDeque<(u64, Arc<Slot>)>);

impl Slots {
    /// A new slot for a ticket.
    pub(super) fn add(&mut self, ticket: u64) -> Arc<Slot> {
        let slot = Arc::new(Slot::default());
        let place = self.0.partition_point(|(other, _)| *other <= ticket);
        self.0.insert(place, (ticket, Arc::clone(&slot)));
        slot
    }

    /// Takes the slots of a ticket.
    pub(super) fn take(&mut self, ticket: u64) -> impl Iterator<Item = Arc<Slot>> {
        let from = self.0.partition_point(|(other, _)| *other < ticket);
        let to = self.0.partition_point(|(other, _)| *other <= ticket);
        self.0.drain(from..to).map(|(_, slot)| slot)
    }

    /// Takes all.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Arc<Slot>> + use<> {
        std::mem::take(&mut self.0).into_iter().map(|(_, slot)| slot)
    }
}
