//! Whether a log is a copy: its newest segment is another file than it was made as.

use audit_core::lifecycle::{LifecycleEvent, Place};

use crate::broken::{self, Broken};
use crate::store::{SegmentFile as _, Store};

/// That a log is a copy, as after a restore or a move to another file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Where the newest segment says that it was made.
    pub from: Place,
    /// Where it is.
    pub to: Place,
}

impl Copied {
    /// Compares what a segment says of its place with where it is. Without either nothing is said.
    pub(crate) fn found<S: Store>(
        store: &S,
        file: &S::Segment,
        stated: Option<Place>,
    ) -> Option<Self> {
        let (from, to) = (stated?, place_of(store, file)?);
        (from != to && !broken::is(Broken::CopyUnseen)).then_some(Self { from, to })
    }

    /// The record that declares it.
    pub(crate) const fn event(self) -> LifecycleEvent {
        let Self { from, to } = self;
        LifecycleEvent::LogCopied { from, to }
    }
}

/// Where a file of a log is; `None` where its file system does not say.
pub(crate) fn place_of<S: Store>(store: &S, file: &S::Segment) -> Option<Place> {
    Some(Place { dir: store.id()?, file: file.id()? })
}
