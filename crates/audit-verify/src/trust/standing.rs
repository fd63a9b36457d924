//! What can be said of who signed a checkpoint.

/// Which keys of the log signed a checkpoint, by their numbers, and who had seen it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// None where no known key did, so that anybody may have made it.
    pub(super) signers: Box<[usize]>,
    pub(super) witnessed: Witnessed,
}

/// What can be said of who has seen a checkpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Witnessed {
    /// No policy asks for witnesses.
    #[default]
    NotAsked,
    /// Not enough witnesses have, or too early.
    TooFew,
    /// Enough of them had by this time, in seconds since 1970-01-01T00:00:00Z.
    Enough { cosigned_secs: u64 },
}

impl Standing {
    pub(super) fn is_unknown(&self) -> bool {
        self.signers.is_empty()
    }
}
