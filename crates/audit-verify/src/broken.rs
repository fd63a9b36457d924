//! Rules broken on purpose, one at a time, to show that a test catches each.
//!
//! With the feature `broken`, and only where debug assertions are on, the environment variable
//! `AUDIT_VERIFY_BROKEN` names the rule that the whole process then breaks. In any other build nothing
//! is broken and no variable is read. `cargo xtask broken` runs for each the test that has to fail;
//! docs/evidence.md lists them and says how each is broken.

/// Makes the enum and the names from one table.
macro_rules! rules {
    ($($variant:ident = $name:literal;)*) => {
        /// What is broken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Broken { $($variant,)* }

        #[cfg(all(feature = "broken", debug_assertions))]
        const NAMES: &[(&str, Broken)] = &[$(($name, Broken::$variant),)*];
    };
}

rules! {
    SealForm = "seal-form";
    OwnUnsealed = "own-unsealed";
    OpeningUnsealed = "opening-unsealed";
    OpeningOrder = "opening-order";
    OpeningLate = "opening-late";
    LastUnsealed = "last-unsealed";
    SealWithoutKey = "seal-without-key";
    UnsealedCounted = "unsealed-counted";
    UnsealedShown = "unsealed-shown";
    OwnInEnd = "own-in-end";
    EndUnlimited = "end-unlimited";
    TailUnlimited = "tail-unlimited";
    TailEndless = "tail-endless";
    SegmentLimitIgnored = "segment-limit-ignored";
    TailUncompared = "tail-uncompared";
    TailNoCrash = "tail-no-crash";
    UnsealedUnowed = "unsealed-unowed";
    SealedDropped = "sealed-dropped";
    WrongSealRead = "wrong-seal-read";
    DamageExcused = "damage-excused";
    SealedFrom = "sealed-from";
    KeySince = "key-since";
    KeyUnchanged = "key-unchanged";
    OtherWriterUnsaid = "other-writer-unsaid";
    OpenedOtherwise = "opened-otherwise";
    UnsignedUntold = "unsigned-untold";
    CopyUncompared = "copy-uncompared";
    CopyUntold = "copy-untold";
    AdoptionEnd = "adoption-end";
    AdoptionBegin = "adoption-begin";
    AdoptionLater = "adoption-later";
    AdoptionReason = "adoption-reason";
    AdoptionUnsealed = "adoption-unsealed";
    AdoptedOverNote = "adopted-over-note";
    AdoptedOverOlder = "adopted-over-older";
    AdoptedAsSigned = "adopted-as-signed";
    AdoptedUntold = "adopted-untold";
    AdoptedPrune = "adopted-prune";
    AdoptedRecorded = "adopted-recorded";
    AdoptedHead = "adopted-head";
    HeadUnmissed = "head-unmissed";
    HeadHidden = "head-hidden";
    EndHidden = "end-hidden";
    GapHidden = "gap-hidden";
    LinkReadAgain = "link-read-again";
    GoneUnread = "gone-unread";
    CoveredOutOfOrder = "covered-out-of-order";
    PruneFalse = "prune-false";
    PruneGap = "prune-gap";
    PruneAfter = "prune-after";
    PruneUnattested = "prune-unattested";
    NewestPrune = "newest-prune";
    PinOfDeleted = "pin-of-deleted";
    PinUndecided = "pin-undecided";
    GapAcknowledged = "gap-acknowledged";
    MissingExcused = "missing-excused";
    NoteUncompared = "note-uncompared";
    NoteBeyondEnd = "note-beyond-end";
    NoteUnmissed = "note-unmissed";
    NoteUnread = "note-unread";
    NoteUnbounded = "note-unbounded";
    NoteExtended = "note-extended";
    SignatureFalse = "signature-false";
    StrangerCounted = "stranger-counted";
    StrangerSpeaks = "stranger-speaks";
    AnybodySpeaks = "anybody-speaks";
    PinByAnyone = "pin-by-anyone";
    PinByAnother = "pin-by-another";
    RecordedFalse = "recorded-false";
    NotesLate = "notes-late";
    OldKeyCounted = "old-key-counted";
    OldKeyRecorded = "old-key-recorded";
    OldKeyTrusted = "old-key-trusted";
    ChangeUnsigned = "change-unsigned";
    ChangeByReplaced = "change-by-replaced";
    KeyRenamed = "key-renamed";
    ChangeUntold = "change-untold";
    QuorumUnbound = "quorum-unbound";
    QuorumUnmet = "quorum-unmet";
    OldCosigned = "old-cosigned";
    FutureCosigned = "future-cosigned";
    PinUnwitnessed = "pin-unwitnessed";
    IdentityUncompared = "identity-uncompared";
    TwoOrigins = "two-origins";
    OriginCovers = "origin-covers";
    VouchedUntold = "vouched-untold";
    UnsignedUnlimited = "unsigned-unlimited";
    GapCovered = "gap-covered";
    GapHeadCovered = "gap-head-covered";
    HeadOverDamage = "head-over-damage";
    EmptyCovered = "empty-covered";
    SegmentUnread = "segment-unread";
    LinkFollowed = "link-followed";
    KindUnasked = "kind-unasked";
    FloodListed = "flood-listed";
    FloodHides = "flood-hides";
    WorstUnsorted = "worst-unsorted";
    FirstAsFound = "first-as-found";
    ListedAsShown = "listed-as-shown";
    BeginsUntold = "begins-untold";
    ForeignUncompared = "foreign-uncompared";
    ForeignHead = "foreign-head";
    ForeignUnlinked = "foreign-unlinked";
    ForeignAccount = "foreign-account";
}

#[cfg(all(feature = "broken", debug_assertions))]
pub(crate) use chosen::is;

/// Whether this is broken: never, in a build that is not made for it.
#[cfg(not(all(feature = "broken", debug_assertions)))]
pub(crate) const fn is(_: Broken) -> bool {
    false
}

/// What there is, unless this is broken.
pub(crate) fn unless<T>(broken: Broken, there: Option<T>) -> Option<T> {
    there.filter(|_| !is(broken))
}

#[cfg(all(feature = "broken", debug_assertions))]
mod chosen {
    use std::sync::OnceLock;

    use super::{Broken, NAMES};

    const VARIABLE: &str = "AUDIT_VERIFY_BROKEN";

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

        const DOCUMENT: &str = include_str!("../../../docs/evidence.md");

        #[test]
        fn the_document_lists_each_and_no_other() {
            let (_, below) = DOCUMENT.split_once("\n## Broken on purpose\n").unwrap();
            let section = below.split("\n## ").next().unwrap();
            let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
            let listed: Vec<_> = rows.filter_map(|row| Some(row.split_once('`')?.0)).collect();
            let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
            assert_eq!(listed, names);
        }

        #[test]
        #[should_panic(expected = "AUDIT_VERIFY_BROKEN is `seal`, which names nothing")]
        fn a_misspelled_name_is_not_taken_for_nothing() {
            named("seal");
        }
    }
}
