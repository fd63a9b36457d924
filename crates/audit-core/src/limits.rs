//! Every maximum, with its unit and its reason.

/// Version of the log format that this crate writes.
pub const FORMAT_VERSION: u32 = 1;

/// Longest record line in bytes, without its line feed: a reader needs one 64 KiB buffer.
pub const RECORD_BYTES_MAX: usize = 65_535;

/// Bytes of a record line that are not the event and its `sanitized` list, at their longest: with a
/// seal.
pub const RECORD_FRAME_BYTES_MAX: usize = 404;

/// Longest event, with its `sanitized` member, in bytes: what the frame leaves of a line.
pub const PAYLOAD_BYTES_MAX: usize = RECORD_BYTES_MAX - RECORD_FRAME_BYTES_MAX;

/// Highest sequence number: the largest integer that every JSON reader holds exactly (2^53 - 1).
pub const SEQ_MAX: u64 = (1 << 53) - 1;

/// Longest service identifier in bytes, so that an audit id is at most 64 bytes.
pub const SERVICE_ID_BYTES_MAX: usize = 41;

/// Longest audit id in bytes: `audit-`, the service, `-`, and 16 hex digits.
pub const AUDIT_ID_BYTES_MAX: usize = 64;

/// Longest encoded text in bytes, without quotes: identifiers and paths are shorter.
pub const TEXT_BYTES_MAX: usize = 1_024;

/// Longest encoded free text in bytes, without quotes: room for a stack trace.
pub const FREE_TEXT_BYTES_MAX: usize = 8_192;

/// Most items of a list of texts; the rest become one marker item.
pub const LIST_ITEMS_MAX: usize = 64;

/// Longest encoded JSON value of a caller in bytes: half a record.
pub const JSON_BYTES_MAX: usize = 32_768;

/// Deepest nesting of a caller's JSON value, so that the whole record stays within
/// [`RECORD_DEPTH_MAX`].
pub const JSON_DEPTH_MAX: usize = 16;

/// Deepest nesting of an event in a stored record: bounds a reader's stack.
pub const RECORD_DEPTH_MAX: usize = 32;

/// Characters of an event's type that are kept where the event itself does not fit: so many fit even
/// if each has to be escaped, and no name of the table or of the writer is as long.
pub const EVENT_TYPE_CHARS_KEPT: usize = 1_024;

/// Longest name of a custom event in bytes.
pub const EVENT_NAME_BYTES_MAX: usize = 128;

/// Most pointers in `sanitized`; with more, a single `""` stands for the whole event.
pub const MARKS_MAX: usize = 32;

/// Most bytes of all pointers in `sanitized` together, so that the list cannot crowd out the event.
pub const MARKS_BYTES_MAX: usize = 4_096;

/// Longest input line in bytes that is read as an event: sixteen times what a record can hold.
pub const INPUT_LINE_BYTES_MAX: usize = 1 << 20;

/// Most bytes this writer leaves unsynced, stated in `log_opened`. It limits how long a tail may be
/// and still look like a crash, so it is what an attacker could cut unnoticed by the chain alone.
pub const UNSYNCED_BYTES_MAX: u64 = 1 << 20;

/// Longest tail in bytes that is taken for a crash's, whatever its writer stated: sixteen times what this
/// writer leaves. It bounds what a log can make its readers do.
pub const TAIL_BYTES_MAX: u64 = 16 << 20;

/// Default `Hybrid` and `Batched` batch in records: what a crash may cost.
pub const BATCH_SIZE_DEFAULT: u32 = 100;

/// Default `Hybrid` and `Batched` interval in seconds: how old a lost record may be.
pub const BATCH_INTERVAL_SECS_DEFAULT: u32 = 1;

/// Most records that wait in a logger's queue for its worker: what a caller that does not wait can
/// pile up, and what a process that is killed then loses without anybody having called it safe.
pub const QUEUE_RECORDS_MAX: usize = 8_192;

/// Most bytes of payload that wait in it: the records above at 512 bytes, a little longer than most
/// events are.
pub const QUEUE_BYTES_MAX: usize = 4 << 20;

/// Bytes of payload that make a batch full, whatever the flush mode counts: half of
/// [`UNSYNCED_BYTES_MAX`], so that they are surely one write and one sync.
pub const BATCH_BYTES_MAX: usize = 512 << 10;

/// Default deadline of a call to a logger in seconds: a disk that is busy answers within it, and
/// whoever waits for the caller has seldom given up by then.
pub const CALL_DEADLINE_SECS_DEFAULT: u64 = 5;

/// Longest wait of `audit record` in seconds for the disk to take a line or to close the log: a disk
/// that is busy or being given space answers within it, and only a person helps one that does not.
pub const COMMAND_DEADLINE_SECS: u64 = 60;

/// Longest wait in seconds for the log to close when a logger is dropped: nobody can be told, and a
/// process that stops is killed by most supervisors after ten.
pub const DROP_DEADLINE_SECS: u64 = 5;

/// Seconds until a write that failed is tried again: space seldom returns faster.
pub const WRITE_RETRY_SECS: u64 = 1;

/// Bytes of space behind the last record that only critical records may use: some thousand of them,
/// which is more than an attack reports before somebody sees `disk_full`.
pub const RESERVE_BYTES: u64 = 1 << 20;

/// Bytes of that reserve that are kept for the writer's last words: `events_lost` of each reason and
/// `log_closed`.
pub const CLOSING_BYTES: u64 = 8 << 10;

/// Bytes that are allocated ahead at a time: seldom enough to cost nothing, little enough not to be
/// missed elsewhere.
pub const ALLOCATION_STEP_BYTES: u64 = 4 << 20;

/// Most bytes of a file with a private key that are read: a key has some hundred.
pub const KEY_FILE_BYTES_MAX: u64 = 4_096;

/// Longest time in seconds that a command may take for a checkpoint: it need only pass on some hundred
/// bytes, and others wait behind it.
pub const SINK_COMMAND_SECS: u32 = 10;

/// Longest wait in seconds, when a log is opened, for the sinks to say which checkpoint they have: one
/// that answers later is heard before anything is signed.
pub const SINK_ANSWER_SECS: u64 = 1;

/// Seconds until a sink that could not say which checkpoint it has is asked again.
pub const SINK_RETRY_SECS: u64 = 1;

/// Longest wait in seconds, when a log is closed, for its last checkpoint to reach the sinks.
pub const SINK_DEADLINE_SECS: u64 = 5;

/// Default longest time in seconds that a record is without a checkpoint: what a rewrite of the log by
/// somebody who has not the key could still reach.
pub const CHECKPOINT_INTERVAL_SECS_DEFAULT: u64 = 300;

/// Most days between two segments that make records older: under every policy a segment is left after
/// so many, so that a clock that was wrong once makes nothing more than that older.
pub const SEGMENT_DAYS_MAX: i64 = 31;

/// Most segments that one `segments_pruned` names: at most 200 bytes each, they fit into a record.
pub const PRUNED_FILES_MAX: usize = 256;

/// Longest signed note in bytes: some hundred signatures of the longest kinds in use, 5 KB each,
/// and a text beside them.
pub const NOTE_BYTES_MAX: usize = 1 << 20;

/// Most signatures of a note: what golang.org/x/mod/sumdb/note reads, where the specification asks
/// for 16. Each may cost a verification.
pub const NOTE_SIGNATURES_MAX: usize = 100;

/// Most hashes of a proof: what a witness takes, and what a tree of 2^62 leaves needs.
pub const PROOF_HASHES_MAX: usize = 63;

/// Most bytes of extra data in an inclusion proof: nothing here reads them, and whoever writes some
/// describes one record.
pub const PROOF_EXTRA_BYTES_MAX: usize = 64 << 10;

/// Longest proof in bytes: a note, and 128 KiB for the hashes and the extra data in Base 64.
pub const PROOF_BYTES_MAX: usize = NOTE_BYTES_MAX + (128 << 10);

/// Longest policy in bytes: a thousand keys with their addresses.
pub const POLICY_BYTES_MAX: usize = 256 << 10;

/// Most logs, witnesses and groups of a policy together, where the specification asks for 32 each:
/// each is compared with all others.
pub const POLICY_ENTRIES_MAX: usize = 1_024;
