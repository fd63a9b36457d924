//! Promises broken on purpose, one at a time, to show that a test catches each.
//!
//! With the feature `broken`, and only where debug assertions are on, the environment variable
//! `AUDIT_WRITER_BROKEN` names the promise that the whole process then breaks. In any other build
//! nothing is broken and no variable is read. `cargo xtask broken` runs for each the test that has
//! to fail; docs/durability.md lists them.

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The worker does not wake up when the oldest record reaches its interval.
    TimerOff,
    /// The segment before is not synced when a new one is made.
    RotationUnsynced,
    /// A sync that failed is tried again, and believed.
    SyncRetried,
    /// Receipts are resolved when their records are written, and synced afterwards.
    ReceiptsEarly,
    /// The queue takes one record more than it may.
    QueueBound,
    /// One record more than the count of the flush mode is accepted and not durable.
    CountBound,
    /// A critical record is as durable as a routine one.
    CriticalLate,
    /// A new segment has its name before its bytes are durable.
    SegmentUnsynced,
    /// Records are written to a new segment whose name is not durable.
    DirectoryUnsynced,
    /// Nobody looks whether the segment is still there and as it was written.
    WatchOff,
    /// A log is opened whoever has it open.
    LockIgnored,
    /// A log is signed that does not extend its newest checkpoint.
    RollbackUnseen,
    /// A checkpoint is signed while the records that it covers are not durable.
    CheckpointEarly,
    /// A checkpoint has its name before its bytes are durable.
    NoteUnsynced,
    /// The log tells of a checkpoint whose name is not durable.
    NoteNameUnsynced,
    /// A log is signed with a key whose place another took.
    OldKeyTaken,
    /// The last record of a write has no seal.
    LastUnsealed,
    /// The opening records of a segment have no seal.
    OpeningUnsealed,
    /// A sync counts while the last record written has no seal.
    SealOwed,
    /// Seals are not compared with the key.
    SealUnjudged,
    /// Records that nothing vouches for are taken over without an operator's word.
    AdoptUnasked,
    /// A checkpoint is signed before what was found is declared.
    SignUndeclared,
    /// A checkpoint is signed before each sink has said which one it has.
    SinkUnheard,
    /// A log that signs is written to without its key.
    KeyUnasked,
    /// A log that signs is pruned without its key.
    PruneUnsigned,
    /// Segments are deleted before a checkpoint covers what the log says of that.
    PruneUncovered,
    /// A log is pruned whose first records somebody else removed.
    PruneOverGap,
    /// The time of an opening is believed, whoever made the record.
    OpeningBelieved,
    /// Records behind the last seal are taken into the chain.
    UnsealedContinued,
    /// A segment is continued whose opening records have no seal of the key.
    OpeningContinued,
    /// A tail is taken for a crash's, however long it is.
    TailUnlimited,
    /// A record of the writer's own is in a tail without a seal.
    OwnInTail,
    /// What is left out behind a wrong seal is not declared.
    CutUndeclared,
    /// An operator's word for another end counts.
    AdoptAnyEnd,
    /// The log does not say what an operator took over.
    AdoptUndeclared,
    /// A log that signs does not say that it was opened without its key.
    UnsignedUnsaid,
    /// A checkpoint beside the log is the log's own, whoever signed it.
    NoteByAnyone,
    /// A checkpoint with lines behind its root is the log's own.
    NoteExtended,
    /// What somebody put in the place of a checkpoint stays there.
    ForeignKept,
    /// Of a checkpoint whose note is gone, nothing is known.
    NoteForgotten,
    /// A note is read whole, whatever its beginning says.
    NoteReadWhole,
    /// A change of the key counts, whoever signed it.
    ChangeUnsigned,
    /// A log goes over to a key of another name.
    KeyRenamed,
    /// A log is signed although a sink has what contradicts it.
    LateUnheard,
    /// Segments are deleted before the declaration of that is durable.
    PruneUnsynced,
    /// Records are deleted that no checkpoint covers.
    PruneUnnoted,
    /// Records are deleted that have to be kept.
    PruneYoung,
    /// One step of the clock makes segments as old as it likes.
    AgeUncapped,
    /// A file is deleted that is not as it was declared.
    PruneChanged,
    /// Among the files that an interrupted prune has left, one that it does not name is passed over.
    PruneAmong,
    /// A segment is deleted that tells of damaged or missing records.
    PruneTold,
    /// A segment is written to for more than 31 days.
    SegmentAgeless,
    /// An unfinished line longer than any record is a crash's.
    LineUnbounded,
    /// What the log says of a checkpoint is not compared with its records.
    RecordedUnread,
    /// That a log signs is told by its newest segment alone.
    SignedUnseen,
    /// A prune counts that contradicts the records that are left.
    PruneFalse,
    /// What a segment says of the one before it is not compared when that is pruned.
    SeamUnread,
    /// What is in the way of the next checkpoint is lost.
    NoteOverwritten,
    /// A key that was replaced changes the key again.
    ReplacedChanges,
    /// A batch of one record is accepted before it is durable.
    BatchOfOne,
    /// A log that is a copy is taken for the one that it was copied from.
    CopyUnseen,
    /// A log that is open when the process ends is left as it is.
    EndUnhooked,
    /// How large a file may become for this process is not asked.
    FileSizeUnasked,
}

#[cfg(all(feature = "broken", debug_assertions))]
pub(crate) use chosen::is;

/// Whether this is broken: never, in a build that is not made for it.
#[cfg(not(all(feature = "broken", debug_assertions)))]
pub(crate) const fn is(_: Broken) -> bool {
    false
}

/// Does something, unless this is broken.
pub(crate) fn unless<E>(broken: Broken, act: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
    if is(broken) { Ok(()) } else { act() }
}

/// Does something, and where it fails and this is broken, again.
pub(crate) fn again<E>(broken: Broken, mut act: impl FnMut() -> Result<(), E>) -> Result<(), E> {
    act().or_else(|error| if is(broken) { act() } else { Err(error) })
}

#[cfg(all(feature = "broken", debug_assertions))]
mod chosen {
    use std::sync::OnceLock;

    use super::Broken;

    const VARIABLE: &str = "AUDIT_WRITER_BROKEN";

    const NAMES: [(&str, Broken); 63] = [
        ("timer-off", Broken::TimerOff),
        ("rotation-unsynced", Broken::RotationUnsynced),
        ("sync-retried", Broken::SyncRetried),
        ("receipts-early", Broken::ReceiptsEarly),
        ("queue-bound", Broken::QueueBound),
        ("count-bound", Broken::CountBound),
        ("critical-late", Broken::CriticalLate),
        ("segment-unsynced", Broken::SegmentUnsynced),
        ("directory-unsynced", Broken::DirectoryUnsynced),
        ("watch-off", Broken::WatchOff),
        ("lock-ignored", Broken::LockIgnored),
        ("rollback-unseen", Broken::RollbackUnseen),
        ("checkpoint-early", Broken::CheckpointEarly),
        ("note-unsynced", Broken::NoteUnsynced),
        ("note-name-unsynced", Broken::NoteNameUnsynced),
        ("old-key-taken", Broken::OldKeyTaken),
        ("last-unsealed", Broken::LastUnsealed),
        ("opening-unsealed", Broken::OpeningUnsealed),
        ("seal-owed", Broken::SealOwed),
        ("seal-unjudged", Broken::SealUnjudged),
        ("adopt-unasked", Broken::AdoptUnasked),
        ("sign-undeclared", Broken::SignUndeclared),
        ("sink-unheard", Broken::SinkUnheard),
        ("key-unasked", Broken::KeyUnasked),
        ("prune-unsigned", Broken::PruneUnsigned),
        ("prune-uncovered", Broken::PruneUncovered),
        ("prune-over-gap", Broken::PruneOverGap),
        ("opening-believed", Broken::OpeningBelieved),
        ("unsealed-continued", Broken::UnsealedContinued),
        ("opening-continued", Broken::OpeningContinued),
        ("tail-unlimited", Broken::TailUnlimited),
        ("own-in-tail", Broken::OwnInTail),
        ("cut-undeclared", Broken::CutUndeclared),
        ("adopt-any-end", Broken::AdoptAnyEnd),
        ("adopt-undeclared", Broken::AdoptUndeclared),
        ("unsigned-unsaid", Broken::UnsignedUnsaid),
        ("note-by-anyone", Broken::NoteByAnyone),
        ("note-extended", Broken::NoteExtended),
        ("foreign-kept", Broken::ForeignKept),
        ("note-forgotten", Broken::NoteForgotten),
        ("note-read-whole", Broken::NoteReadWhole),
        ("change-unsigned", Broken::ChangeUnsigned),
        ("key-renamed", Broken::KeyRenamed),
        ("late-unheard", Broken::LateUnheard),
        ("prune-unsynced", Broken::PruneUnsynced),
        ("prune-unnoted", Broken::PruneUnnoted),
        ("prune-young", Broken::PruneYoung),
        ("age-uncapped", Broken::AgeUncapped),
        ("prune-changed", Broken::PruneChanged),
        ("prune-among", Broken::PruneAmong),
        ("prune-told", Broken::PruneTold),
        ("segment-ageless", Broken::SegmentAgeless),
        ("line-unbounded", Broken::LineUnbounded),
        ("recorded-unread", Broken::RecordedUnread),
        ("signed-unseen", Broken::SignedUnseen),
        ("prune-false", Broken::PruneFalse),
        ("seam-unread", Broken::SeamUnread),
        ("note-overwritten", Broken::NoteOverwritten),
        ("replaced-changes", Broken::ReplacedChanges),
        ("batch-of-one", Broken::BatchOfOne),
        ("copy-unseen", Broken::CopyUnseen),
        ("end-unhooked", Broken::EndUnhooked),
        ("file-size-unasked", Broken::FileSizeUnasked),
    ];

    static CHOSEN: OnceLock<Option<Broken>> = OnceLock::new();

    /// Whether this is broken. The variable is read once.
    ///
    /// # Panics
    ///
    /// It names nothing that can be broken: a slip must not pass for a test that catches nothing.
    pub(crate) fn is(broken: Broken) -> bool {
        let read = || std::env::var_os(VARIABLE).map(|name| named(&name.to_string_lossy()));
        *CHOSEN.get_or_init(read) == Some(broken)
    }

    #[expect(clippy::panic, reason = "no build that anybody is given has this")]
    fn named(name: &str) -> Broken {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map_or_else(|| panic!("{VARIABLE} is `{name}`, which names nothing"), |found| found.1)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const DOCUMENT: &str = include_str!("../../../docs/durability.md");

        #[test]
        fn the_document_lists_each_and_no_other() {
            let (_, section) = DOCUMENT.split_once("\n## Broken on purpose\n").unwrap();
            let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
            let listed: Vec<_> = rows.filter_map(|row| Some(row.split_once('`')?.0)).collect();
            assert_eq!(listed, NAMES.map(|(name, _)| name));
        }

        #[test]
        #[should_panic(expected = "AUDIT_WRITER_BROKEN is `timer`, which names nothing")]
        fn a_misspelled_name_is_not_taken_for_nothing() {
            named("timer");
        }
    }
}
