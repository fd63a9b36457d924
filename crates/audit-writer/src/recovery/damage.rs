//! What stands against a crash.

/// Why the end of a log does not look as a crash leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The newest segment does not begin with a whole record of its own, which it had before it got
    /// its name. There is nothing to go on after, so it is refused whatever the policy.
    #[error("it does not begin with a whole record of its own")]
    OpeningMissing,
    /// Its opening records are not whole, which were on disk before it got its name.
    #[error("its first records, which were written at once, are not whole")]
    OpeningIncomplete,
    /// Bytes follow `log_closed`, after which nothing is written.
    #[error("bytes follow log_closed")]
    BytesAfterClose,
    /// Its tail is longer than `unsynced_max_bytes` of its writer.
    #[error("its tail is longer than its writer left unsynced")]
    TailTooLong,
    /// A whole record of its tail is not the one that comes next: one was taken out, put in or
    /// moved.
    #[error("a whole record of its tail does not follow the one before")]
    RecordNotLinked,
    /// A line of its tail is no record, and no lost block explains that: a byte was changed.
    #[error("a line of its tail is no record and holds no lost block")]
    LineNotARecord,
    /// Its unfinished last line is longer than any record.
    #[error("its unfinished line is longer than any record")]
    LineTooLong,
    /// Its unfinished last line begins with a whole record.
    #[error("its last record is followed by another byte than a line feed")]
    ByteAfterRecord,
    /// NULs begin or end within a block.
    #[error("its tail holds NULs that no lost block leaves")]
    NulsWithinBlock,
    /// The segment is sealed, and its opening records have no right seal. There is nothing that
    /// somebody with the key vouches for, so it is refused whatever the policy: move the file out of
    /// the directory by hand, and the log continues behind the segment before.
    #[error("its first records have no right seal: somebody without the key made them")]
    OpeningUnsealed,
    /// Its last seal is not of the log's key: somebody without the key made that record.
    #[error("a seal in it is not of the log's key")]
    SealWrong,
    /// More whole records without a seal follow the last one with a seal than its writer left
    /// unsynced, or records that no crash leaves.
    #[error("records without a seal follow its last seal, and no crash leaves them")]
    SealMissing,
    /// Its tail lost a record that a checkpoint covers, which was durable before that was signed.
    #[error("a record that a checkpoint covers is not whole any more")]
    CheckpointedRecordLost,
}

impl Damage {
    /// The name that `damage_found` states.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OpeningMissing => "opening_missing",
            Self::OpeningIncomplete => "opening_incomplete",
            Self::BytesAfterClose => "bytes_after_close",
            Self::TailTooLong => "tail_too_long",
            Self::RecordNotLinked => "record_not_linked",
            Self::LineNotARecord => "line_not_a_record",
            Self::LineTooLong => "line_too_long",
            Self::ByteAfterRecord => "byte_after_record",
            Self::NulsWithinBlock => "nuls_within_block",
            Self::OpeningUnsealed => "opening_unsealed",
            Self::SealWrong => "seal_wrong",
            Self::SealMissing => "seal_missing",
            Self::CheckpointedRecordLost => "checkpointed_record_lost",
        }
    }
}
