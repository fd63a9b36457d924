//! The codes: what can be wrong with a log, each declared once.

use std::fmt;

use serde::Serialize;

use crate::verdict::Verdict;

/// Makes the enum, its wire names, its verdicts and its texts from one table.
macro_rules! codes {
    ($($variant:ident = $name:literal => $verdict:ident, $meaning:literal;)*) => {
        /// What is wrong, under a name that never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[non_exhaustive]
        #[expect(clippy::doc_markdown, reason = "the sentences are shown to people as they are")]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the documents.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in a report.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The verdict that one such finding leads to, at least.
            #[must_use]
            pub const fn verdict(self) -> Verdict {
                match self { $(Self::$variant => Verdict::$verdict,)* }
            }

            /// What it means, in one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

codes! {
    // The directory.
    NoRecords = "no_records" => Unverifiable,
        "There is no segment, so there is nothing to judge.";
    SegmentNameInvalid = "segment_name_invalid" => Tampered,
        "A file ends like a segment, but its name is not one.";
    SegmentNotAFile = "segment_not_a_file" => Tampered,
        "What has a segment's name is a link, a pipe, a directory or a device, and is not read.";
    SegmentUnreadable = "segment_unreadable" => Unverifiable,
        "A segment, or a part of it, cannot be read, so its bytes are not accounted for.";
    SegmentEmpty = "segment_empty" => Tampered,
        "A segment has no first record. A segment has its name only once that is on disk.";
    SegmentNameMismatch = "segment_name_mismatch" => Tampered,
        "A segment's name does not say the seq and the date of its first record.";

    // The line.
    LineTooLong = "line_too_long" => Tampered,
        "A line is longer than any record.";
    LineUnterminated = "line_unterminated" => Tampered,
        "The last line of a segment has no line feed, and no crash explains it.";
    LineNotARecord = "line_not_a_record" => Tampered,
        "A line does not end with a hash field, so it is no record, or only a part of one.";
    HashMismatch = "hash_mismatch" => Tampered,
        "A record's hash is not that of its bytes: they were changed after they were written.";
    RecordMalformed = "record_malformed" => Tampered,
        "A record has a right hash, but is not written as the format says.";
    EventMalformed = "event_malformed" => Tampered,
        "A record has a right hash, but its event is not strict JSON beginning with its type.";
    SanitizedMalformed = "sanitized_malformed" => Tampered,
        "A record has a right hash, but its list of cleaned values is not one.";
    SealMalformed = "seal_malformed" => Tampered,
        "A record has a right hash, but its seal is not written as one.";
    LifecycleMalformed = "lifecycle_malformed" => Tampered,
        "An event that only a writer adds lacks a field, or holds one of another form.";
    ServiceChanged = "service_changed" => Tampered,
        "A record names another service than the first one.";
    VersionChanged = "version_changed" => Tampered,
        "The version of the format changes where no format_changed announced it.";
    VersionUnknown = "version_unknown" => Unverifiable,
        "The log goes on, as announced, in a version of the format that this verifier does not know.";

    // The chain.
    RecordsMissing = "records_missing" => Tampered,
        "Records between the one before and this one are absent.";
    RecordOutOfOrder = "record_out_of_order" => Tampered,
        "A record stands again, or after one that it precedes.";
    LinkBroken = "link_broken" => Tampered,
        "A record does not follow from the one before it: history was rewritten or spliced.";
    SeqMismatch = "seq_mismatch" => Tampered,
        "A record is linked to the one before it, but its seq is not the next.";
    HeadMissing = "head_missing" => Tampered,
        "The log does not begin at seq 0, and no segments_pruned in it says why.";
    PruneMismatch = "prune_mismatch" => Tampered,
        "A segments_pruned contradicts the records that survive.";
    PruneNotAttested = "prune_not_attested" => Tampered,
        "Records are deleted, and no checkpoint of a given key covers the segments_pruned that says so.";

    // The writer's own events.
    SegmentOpenedMissing = "segment_opened_missing" => Tampered,
        "The first record of a segment is not segment_opened.";
    SegmentOpenedMisplaced = "segment_opened_misplaced" => Tampered,
        "A segment_opened stands elsewhere than first in a segment.";
    LogIdChanged = "log_id_changed" => Tampered,
        "A segment belongs to another log.";
    FrontierMismatch = "frontier_mismatch" => Tampered,
        "The Merkle frontier at the start of a segment is not that of the records before it.";
    PreviousMismatch = "previous_mismatch" => Tampered,
        "What segment_opened says of the segment before it is not so.";
    LogOpenedMisplaced = "log_opened_misplaced" => Tampered,
        "A log_opened stands elsewhere than after the opening of a segment.";
    LogOpenedMissing = "log_opened_missing" => Tampered,
        "A writer opened the log, for it is new, was closed or recovered, but no log_opened says so.";
    LogRecoveredMisplaced = "log_recovered_misplaced" => Tampered,
        "A log_recovered stands elsewhere than directly after segment_opened.";
    RecordAfterClose = "record_after_close" => Tampered,
        "A segment goes on after log_closed.";
    FormatChangeMisplaced = "format_change_misplaced" => Tampered,
        "A segment goes on after format_changed.";
    SealMissing = "seal_missing" => Tampered,
        "A record of a sealed segment has no seal where its writer puts one.";
    SealMisplaced = "seal_misplaced" => Tampered,
        "A record has a seal in a segment that is not sealed.";
    SealedFromFalse = "sealed_from_false" => Tampered,
        "What segment_opened says of where the log begins to be sealed is not so.";
    SegmentKeyFalse = "segment_key_false" => Tampered,
        "What segment_opened says of the key of its seals contradicts the records of the log.";
    NewestPruneFalse = "newest_prune_false" => Tampered,
        "What segment_opened says of the newest segments_pruned is not so.";
    OpeningMisplaced = "opening_misplaced" => Tampered,
        "An event of the opening of a log is not in its place among the opening records.";
    OpeningMismatch = "opening_mismatch" => Tampered,
        "The opening records of a segment contradict each other or the segment before.";
    AdoptionFalse = "adoption_false" => Tampered,
        "A records_adopted names other records than those that were there to be adopted.";
    SegmentMissing = "segment_missing" => Truncated,
        "The writer declares that a segment was taken from it or altered while it was writing.";
    DamageFound = "damage_found" => Tampered,
        "The writer declares that it was told to go on although the log was damaged.";

    // The tail.
    TornTail = "torn_tail" => Torn,
        "The newest segment ends as a crash leaves it. The next writer accounts for it.";
    UnsealedTooLong = "unsealed_too_long" => Tampered,
        "More bytes follow the last sealed record than its writer leaves unsealed.";
    RecoveryMismatch = "recovery_mismatch" => Tampered,
        "The bytes behind the last good record are not those that log_recovered speaks of.";
    RecoveryWithoutTail = "recovery_without_tail" => Tampered,
        "A log_recovered speaks of a segment that ends with a whole record.";
    RecoveryNotACrash = "recovery_not_a_crash" => Tampered,
        "The bytes that a log_recovered speaks of are not what a crash leaves.";
    RecoveryOfSealed = "recovery_of_sealed" => Tampered,
        "A log_recovered drops a sealed record that follows from the one before it.";

    // The checkpoints beside the log.
    CheckpointNotAFile = "checkpoint_not_a_file" => Tampered,
        "What has the name of a checkpoint, or of their folder, is something else, and is not read.";
    CheckpointUnreadable = "checkpoint_unreadable" => Unverifiable,
        "A checkpoint, or the folder of them, cannot be read, so it says nothing.";
    CheckpointMalformed = "checkpoint_malformed" => Tampered,
        "What has the name of a checkpoint is none. A checkpoint has its name only once it is whole.";
    CheckpointNameMismatch = "checkpoint_name_mismatch" => Tampered,
        "A checkpoint's name does not say how many records it covers.";
    CheckpointSignatureFalse = "checkpoint_signature_false" => Tampered,
        "A signature that claims to be by a trusted key is not: a checkpoint was changed or forged.";
    CheckpointMismatch = "checkpoint_mismatch" => Tampered,
        "The records that a checkpoint covers are not those here: history was rewritten or swapped.";
    CheckpointBeyondEnd = "checkpoint_beyond_end" => Truncated,
        "The log ends before a record that a checkpoint covers: its end was cut off, or it is older.";
    CheckpointMissing = "checkpoint_missing" => Truncated,
        "A checkpoint is known to have been made, and neither it nor a newer one lies beside the log.";
    CheckpointRecordFalse = "checkpoint_record_false" => Tampered,
        "A checkpoint_signed contradicts the records before it.";
    KeyChangeFalse = "key_change_false" => Tampered,
        "A key_changed names a trusted key, and its signatures are not those of the keys it names.";
    KeyNameChanged = "key_name_changed" => Tampered,
        "A key_changed goes over to a key of another name. The name is the log's origin, and stays.";
    KeyChangeByReplacedKey = "key_change_by_replaced_key" => Tampered,
        "A key_changed is by a key whose place another took before: only its thief still uses it.";
    CheckpointByReplacedKey = "checkpoint_by_replaced_key" => Tampered,
        "A checkpoint is by a key whose place another took, over more records than that key may sign.";
    NoCheckpointByKey = "no_checkpoint_by_key" => Unverifiable,
        "No checkpoint beside the log is signed by a given key, so nothing shows who wrote it.";
    CheckpointInAdopted = "checkpoint_in_adopted" => Tampered,
        "A checkpoint of the log's key covers records that were adopted since none did.";

    // What was kept elsewhere.
    HeadMismatch = "head_mismatch" => Tampered,
        "The record at the seq of a given head has another hash: history was rewritten.";
    HeadBeyondEnd = "head_beyond_end" => Truncated,
        "The log ends before the record of a given head: its end was cut off, or it is an older copy.";
    HeadNotChecked = "head_not_checked" => Unverifiable,
        "The record of a given head is not among those that can be read, so the head says nothing.";
    PinMismatch = "pin_mismatch" => Tampered,
        "The records that a given checkpoint covers are not those here: history was rewritten.";
    PinBeyondEnd = "pin_beyond_end" => Truncated,
        "The log ends before a record that a given checkpoint covers: it was cut off, or is older.";
    PinNotChecked = "pin_not_checked" => Unverifiable,
        "The records that a given checkpoint covers cannot be told, so the checkpoint says nothing.";
    PinNotVerified = "pin_not_verified" => Unverifiable,
        "A given checkpoint is none, or no given key has signed it, so it does not count.";
    QuorumNotMet = "quorum_not_met" => Unverifiable,
        "No checkpoint was seen by the witnesses that the policy asks for, or too early.";
    IdentityMismatch = "identity_mismatch" => Tampered,
        "The log has another origin, service or id than was demanded, or several origins vouch for it.";
    IdentityNotShown = "identity_not_shown" => Unverifiable,
        "Nothing that is trusted shows the origin, service or id of the log that was demanded.";
    UnsignedEnd = "unsigned_end" => Unverifiable,
        "More records at the end than were allowed, or older ones, have no checkpoint by a given key.";
    RequirementNotMet = "requirement_not_met" => Unverifiable,
        "The last record is not covered by what was required to cover it.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_the_same_name_in_json_and_in_text() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{code}\""));
            assert!(code.meaning().ends_with('.'));
        }
    }

    #[test]
    fn the_documents_list_every_code_as_it_is() {
        let document = include_str!("../../../../docs/evidence.md");
        let listed: Vec<_> = document.lines().filter(|line| line.starts_with("| `")).collect();
        for code in Code::ALL {
            let row = format!("| `{code}` | `{}` | {} |", code.verdict(), code.meaning());
            assert!(listed.contains(&row.as_str()), "{row}");
        }
    }

    #[test]
    #[cfg(feature = "schema")]
    fn the_documents_list_every_notice_as_it_is_and_no_other() {
        let document = include_str!("../../../../docs/evidence.md");
        let (_, listed) = document.split_once("\n## Notices\n").unwrap();
        let listed: Vec<_> = listed.lines().filter(|line| line.starts_with("| `")).collect();
        let schema = schemars::schema_for!(crate::finding::NoticeCode);
        let notices = schema.as_value()["oneOf"].as_array().unwrap();
        for (number, notice) in notices.iter().enumerate() {
            let text = |member: &str| notice[member].as_str().unwrap().to_owned();
            let row = format!("| `{}` | {} |", text("const"), text("description"));
            assert_eq!(listed[number], row);
        }
        let next = listed.get(notices.len()).unwrap();
        assert!(next.starts_with("| `seal-form` "), "the next table begins: {next}");
    }
}
