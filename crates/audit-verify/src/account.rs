//! What the next segment says of the tail of one, and whether it is so.

use crate::broken::{self, Broken};
use crate::check::{State, is_tail};
use crate::finding::{Code, Finding, Notice, NoticeCode, Place};
use crate::parse::json::Scratch;
use crate::parse::lifecycle::{Lifecycle, LogRecovered, TailKind};
use crate::parse::record::{Foreign, Hashed, Record};
use crate::scan::SegmentName;
use crate::scan::lines::{Buffer, Line, Lines, ReadError, Span, Text};
use crate::source::LogFile;
use crate::tail::{self, Before, Tail};

/// Lines at the beginning of a segment that are looked at: `log_recovered` is the second one, unless a
/// byte was changed so that one line became two, and `damage_found` comes after four others at most.
const OPENING_LINES: usize = 8;

/// What a writer found that judges seals, and behind which nothing counts.
const SEAL_DAMAGE: [&str; 2] = ["seal_wrong", "seal_missing"];

/// What comes after a segment, and says of its tail.
#[derive(Debug)]
pub(crate) enum After {
    /// Nothing: it is the newest one.
    Nothing,
    /// A segment that accounts for no tail.
    NoAccount,
    Account(LogRecovered),
    /// A segment whose writer found a seal to be wrong or missing, and went on before this byte.
    Opaque(u64),
    /// A segment that may have accounted for one, but is damaged there.
    Damaged,
    /// A segment that cannot be read.
    Unreadable,
}

impl After {
    /// Looks at the opening records of the next segment for what they say of the tail of `name`.
    pub(crate) fn peek(next: &impl LogFile, buffer: &mut Buffer, name: SegmentName) -> Self {
        let Ok(size) = next.size() else { return Self::Unreadable };
        let mut lines = Lines::new(next, Span::up_to(size), buffer, ());
        let mut scratch = Scratch::default();
        // Whether an account of a tail may be in a line that is damaged.
        let mut is_due = true;
        for read in 0..OPENING_LINES {
            let line = match lines.next() {
                Ok(Some(line)) if line.ended => line,
                Ok(None) if read > 0 => return Self::NoAccount,
                Err(_) if is_due => return Self::Unreadable,
                Ok(_) | Err(_) => return Self::damaged(is_due),
            };
            let Text::Whole(text) = line.text else { return Self::damaged(is_due) };
            let hashed = Hashed::split(text).filter(Hashed::is_right);
            let lifecycle = match hashed.map(|hashed| own_event(hashed.body, &mut scratch)) {
                Some(Ok(lifecycle)) => lifecycle,
                Some(Err(Unread::Foreign)) => return Self::NoAccount,
                Some(Err(Unread::Malformed)) | None => return Self::damaged(is_due),
            };
            match lifecycle {
                Some(Lifecycle::SegmentOpened(_)) => {}
                Some(Lifecycle::LogRecovered(recovered))
                    if is_due && recovered.file().first_seq == name.first_seq =>
                {
                    return Self::Account(recovered);
                }
                Some(Lifecycle::DamageFound(damage))
                    if damage.is_of(name, &SEAL_DAMAGE) && !broken::is(Broken::WrongSealRead) =>
                {
                    return Self::Opaque(damage.offset);
                }
                Some(
                    Lifecycle::LogOpened(_)
                    | Lifecycle::RecordsAdopted(_)
                    | Lifecycle::LogCopied(_)
                    | Lifecycle::DamageFound(_),
                ) => is_due = false,
                _ => return Self::NoAccount,
            }
        }
        Self::NoAccount
    }

    /// What a damaged line among the opening records leaves, where it may be what is looked for.
    const fn damaged(is_due: bool) -> Self {
        if is_due { Self::Damaged } else { Self::NoAccount }
    }

    /// Whether the bytes behind a break may be a crash's, although nothing accounts for them.
    pub(crate) fn excuses(&self) -> bool {
        match self {
            Self::Nothing | Self::Damaged | Self::Unreadable => true,
            Self::NoAccount | Self::Account(_) | Self::Opaque(_) => false,
        }
    }

    /// Where the lines of a file of this size end, and its tail begins.
    pub(crate) fn end_of_lines(&self, size: u64) -> u64 {
        match self {
            Self::Account(recovered) => recovered.offset.min(size),
            Self::Opaque(offset) => (*offset).min(size),
            Self::Nothing | Self::NoAccount | Self::Damaged | Self::Unreadable => size,
        }
    }
}

/// Which segment a segment names as the one before it, where its first record can be read and says so.
pub(crate) fn previous_of(file: &impl LogFile, buffer: &mut Buffer) -> Option<SegmentName> {
    let size = file.size().ok()?;
    let mut lines = Lines::new(file, Span::up_to(size), buffer, ());
    let Ok(Some(Line { text: Text::Whole(text), ended: true, .. })) = lines.next() else {
        return None;
    };
    let hashed = Hashed::split(text).filter(Hashed::is_right)?;
    match own_event(hashed.body, &mut Scratch::default()) {
        Ok(Some(Lifecycle::SegmentOpened(opened))) => Some(opened.previous.as_ref()?.file()),
        _ => None,
    }
}

/// Why an event was not read.
enum Unread {
    /// Its record is of a version that is not known.
    Foreign,
    Malformed,
}

/// The writer's own event in a record, of whatever version: all of them have `log_recovered` alike.
fn own_event(body: &[u8], scratch: &mut Scratch) -> Result<Option<Lifecycle>, Unread> {
    let record = match Record::parse(body, scratch) {
        Ok(record) => record,
        Err(fault) if fault.code == Code::VersionChanged && !broken::is(Broken::ForeignAccount) => {
            let version = Foreign::parse(body).map_err(|_| Unread::Malformed)?.version;
            Record::parse_version(body, version, scratch).map_err(|_| Unread::Foreign)?
        }
        Err(_) => return Err(Unread::Malformed),
    };
    Lifecycle::parse(&record.event_type, record.event).or(Ok(None))
}

/// A finding about a tail that was examined.
pub(crate) fn tail_finding(code: Code, tail: &Tail, place: Place<'_>) -> Finding {
    Finding::new(code, code.meaning())
        .at(place)
        .found(format_args!("{} bytes, SHA-256 {}", tail.bytes, tail.sha256))
}

/// Whole records at the end that are not sealed yet.
pub(crate) fn unsealed_end(tail: &Tail, place: Place<'_>) -> Notice {
    let Tail { unsealed_records, bytes, .. } = tail;
    let message = format!(
        "{unsealed_records} records, {bytes} bytes, follow the last sealed one and are not sealed yet: \
         the next writer accounts for them, and nobody was told that they are safe"
    );
    let mut notice = Notice::new(NoticeCode::UnsealedEnd, message).in_file(place.file);
    notice.line = Some(place.line);
    notice
}

/// Compares the tail of a file with what the next segment says of it, in the state that the log has
/// before the tail.
pub(crate) fn compare(
    file: &impl LogFile,
    span: Span,
    recovered: &LogRecovered,
    state: &State,
    name: SegmentName,
    buffer: &mut Buffer,
) -> Result<Result<Notice, Finding>, ReadError> {
    let text = name.to_string();
    let place = span.place(&text);
    let bytes = span.end.saturating_sub(span.start);
    let finding = |code: Code| Finding::new(code, code.meaning()).at(place);
    if bytes == 0 {
        return Ok(Err(finding(Code::RecoveryWithoutTail).found(recovered.offset)));
    }
    if !is_tail(bytes) {
        let fault = format!("{bytes} bytes are more than any crash leaves");
        return Ok(Err(finding(Code::RecoveryNotACrash).found(fault)));
    }
    let is_unsealed = recovered.kind == TailKind::Unsealed;
    let sealed = state.head_hash().filter(|_| is_unsealed && state.is_sealed());
    let before = Before { sealed, is_foreign: state.is_foreign() };
    let tail = tail::examine(file, span, before, buffer)?;
    let stated = (recovered.offset, recovered.bytes, recovered.valid_records, recovered.sha256());
    let is_there = (span.start, tail.bytes, tail.valid_records, tail.sha256);
    let show = |(offset, bytes, valid, sha256)| {
        format!("{bytes} bytes at {offset} with {valid} valid records, SHA-256 {sha256}")
    };
    if stated != is_there && !broken::is(Broken::TailUncompared) {
        let finding = finding(Code::RecoveryMismatch).expected(show(stated));
        return Ok(Err(finding.found(show(is_there))));
    }
    if tail.drops_sealed && !broken::is(Broken::SealedDropped) {
        return Ok(Err(finding(Code::RecoveryOfSealed).found(show(is_there))));
    }
    // In a version that is not known, it cannot be told which segments are sealed.
    let needs_seals = is_unsealed && !state.is_sealed() && !state.is_foreign();
    let needs_seals = needs_seals && !broken::is(Broken::UnsealedUnowed);
    let fault = needs_seals.then_some("its segment is not sealed, so no seal is owed there");
    let no_crash = broken::unless(Broken::TailNoCrash, tail.fault);
    if let Some(fault) = fault.or(state.may_be_torn(bytes).err()).or(no_crash) {
        return Ok(Err(finding(Code::RecoveryNotACrash).found(fault)));
    }
    let message = match tail.unsealed_records {
        0 => format!("{bytes} bytes that a crash left were accounted for"),
        records => format!(
            "{bytes} bytes that a crash left were accounted for, with {records} records that were \
             not sealed yet"
        ),
    };
    Ok(Ok(Notice::new(NoticeCode::TailRecovered, message).in_file(&text)))
}
