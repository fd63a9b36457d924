//! Checkpoints that are known to have been made: each has to be beside the log, or a newer one that
//! speaks for it too.
//!
//! A stranger can make a checkpoint over the records as they are. So one is missed until there is one
//! by a key that speaks for the log: one that was given, that of a given checkpoint, a successor of
//! these; where the log's own records name the key that made it, any key that they name. Where the log
//! does not name that key, as old ones do not, nobody can tell who made a checkpoint: one is taken that
//! says to be by a key of the recorded id.

use std::ops::ControlFlow;

use audit_checkpoint::Note;

use super::claims::By;
use super::standing::Standing;
use super::{Kept, Trust};
use crate::broken::{self, Broken};
use crate::finding::{Code, Finding, Ledger};
use crate::notes::{self, Lying};
use crate::source::LogSource;

/// A checkpoint that was made.
#[derive(Clone, Copy, Debug)]
struct Made<'t> {
    size: u64,
    by: MadeBy<'t>,
}

#[derive(Clone, Copy, Debug)]
enum MadeBy<'t> {
    /// A key that is vouched for.
    Vouched,
    /// A key that the log names, and nothing vouches for.
    Named,
    /// A key of which no more is known than its id, or not even that.
    Unknown(Option<&'t str>),
    /// The keys that are said to have signed a given checkpoint, of which none is known.
    SignersOf(&'t Note),
}

impl Trust {
    /// Misses the newest checkpoint that the log, or one kept elsewhere, shows to have been made.
    /// Older ones may have been thinned out, and a newer one speaks for it too. What cannot be read
    /// speaks for nothing.
    pub(super) fn miss_checkpoints(&self, source: &impl LogSource, ledger: &mut Ledger) {
        let mut made = self.made();
        made.retain(|made| !self.lies_beside(*made) && !broken::is(Broken::NoteUnmissed));
        let Some(least) = made.iter().map(|made| made.size).min() else { return };
        // What the standing does not tell, the note itself does; and a log that is being written may
        // have got one since its checkpoints were read.
        notes::visit_since(source, least, &mut |lying| {
            let standing = self.keys.judge(&lying.note).unwrap_or_default();
            made.retain(|made| !self.speaks_for(*made, lying, &standing));
            if made.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let Some(newest) = made.iter().map(|made| made.size).max() else { return };
        let sizes = self.claims.outcomes().filter(|(claim, _)| claim.name().is_some());
        let lying = sizes.map(|(claim, _)| claim.size).max();
        let found = lying.map_or("none".to_owned(), |size| format!("one over {size} records"));
        ledger.find(
            Finding::new(Code::CheckpointMissing, Code::CheckpointMissing.meaning())
                .in_file(&notes::path_of(&notes::name_of(newest)))
                .seq(newest.checked_sub(1))
                .expected(format_args!("one over {newest} records or more"))
                .found(found),
        );
    }

    fn made(&self) -> Vec<Made<'_>> {
        let recorded = self.recorded.newest.iter().map(|(id, size)| {
            let id = id.as_deref();
            let by = if id.is_some_and(|id| self.keys.vouches_for_id(id)) {
                MadeBy::Vouched
            } else if id.is_some_and(|id| self.keys.names_id(id)) {
                MadeBy::Named
            } else {
                MadeBy::Unknown(id)
            };
            Made { size: *size, by }
        });
        let held = self.claims.outcomes().filter_map(|(claim, is_held)| match claim.by {
            By::Given(number) if is_held => self.kept.get(number),
            By::Given(_) | By::Beside { .. } => None,
        });
        let given = held.map(|Kept { note, checkpoint, .. }| {
            let (size, standing) = (checkpoint.size(), self.keys.judge(note).unwrap_or_default());
            let by = match self.keys.is_own(&standing, size) {
                _ if broken::is(Broken::PinByAnyone) => MadeBy::Unknown(None),
                true => MadeBy::Vouched,
                false => MadeBy::SignersOf(note),
            };
            Made { size, by }
        });
        recorded.chain(given).collect()
    }

    /// Whether what was kept of the checkpoints beside the log tells that one is there.
    fn lies_beside(&self, made: Made<'_>) -> bool {
        self.claims.outcomes().rev().take_while(|(claim, _)| claim.size >= made.size).any(
            |(claim, _)| match (&claim.by, made.by) {
                (By::Given(_), _) => false,
                (By::Beside { .. }, MadeBy::Unknown(None)) => true,
                (By::Beside { .. }, _) if broken::is(Broken::StrangerSpeaks) => true,
                (By::Beside { standing, .. }, _) => self.keys.is_own(standing, claim.size),
            },
        )
    }

    fn speaks_for(&self, made: Made<'_>, lying: &Lying, standing: &Standing) -> bool {
        let size = lying.checkpoint.size();
        let speaks = match made.by {
            MadeBy::Unknown(id) => broken::unless(Broken::AnybodySpeaks, id)
                .is_none_or(|id| is_said_to_be_by_id(&lying.note, id)),
            MadeBy::Named => self.keys.is_by_named(&lying.note),
            MadeBy::SignersOf(pin) => is_said_to_be_by_signers_of(&lying.note, pin),
            MadeBy::Vouched => false,
        };
        size >= made.size && (speaks || self.keys.is_own(standing, size))
    }
}

/// Whether a signature of a note claims to be by a key of this id.
fn is_said_to_be_by_id(note: &Note, id: &str) -> bool {
    note.signatures().iter().any(|signature| signature.id().to_string() == id)
}

/// Whether a signature of a note claims to be by a key that one of another claims to be by. What
/// these keys are is not known, so neither can be verified.
fn is_said_to_be_by_signers_of(note: &Note, other: &Note) -> bool {
    let others = other.signatures();
    let is_there = |name, id| others.iter().any(|other| other.name() == name && other.id() == id);
    note.signatures().iter().any(|signature| is_there(signature.name(), signature.id()))
}
