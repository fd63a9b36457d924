//! Segments in order, each opened once, and the one behind each before it is read.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};

use crate::account;
use crate::broken::{self, Broken};
use crate::finding::{Ledger, Notice, file};
use crate::scan::SegmentName;
use crate::scan::lines::Buffer;
use crate::source::{LogSource, ManyNames, OpenError};

/// How often reading starts again because a segment that was listed is gone: retention may
/// delete some meanwhile, and declares that where it was not read yet.
const RESTARTS_MAX: usize = 3;

/// What is done where a segment that was listed is not there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    StartAgain,
    IsUnread,
}

/// Reads what is listed, and again as long as that gives nothing since a segment is gone. The last
/// time one that is gone cannot be read.
pub(crate) fn restarted<T>(mut read: impl FnMut(Gone) -> io::Result<Option<T>>) -> io::Result<T> {
    for _ in 0..RESTARTS_MAX {
        if let Some(read) = read(Gone::StartAgain)? {
            return Ok(read);
        }
    }
    read(Gone::IsUnread)?.ok_or_else(|| ErrorKind::NotFound.into())
}

/// A segment, and its file if it can be opened.
#[derive(Debug)]
pub(crate) struct Opened<F> {
    pub(crate) name: SegmentName,
    pub(crate) file: Result<F, OpenError>,
}

/// The segments that are to be read.
///
/// What cannot be read accounts for nothing. A segment names the one before it, so one that names
/// another leaves no place for a file between the two that cannot be opened: that is left out, and
/// what is absent there is absent.
pub(crate) struct Ahead<'s, S: LogSource + 's> {
    source: &'s S,
    names: std::slice::Iter<'s, SegmentName>,
    opened: VecDeque<Opened<S::File<'s>>>,
    many_names: ManyNames,
}

impl<'s, S: LogSource> Ahead<'s, S> {
    pub(crate) fn new(source: &'s S, names: &'s [SegmentName]) -> Self {
        let (opened, many_names) = (VecDeque::new(), ManyNames::default());
        Self { source, names: names.iter(), opened, many_names }
    }

    /// The next segment; of what is left out, the ledger is told.
    pub(crate) fn next(&mut self, ledger: &mut Ledger) -> Option<Opened<S::File<'s>>> {
        while self.opened.len() < 2 && self.open(ledger) {}
        self.opened.pop_front()
    }

    /// The one behind the last that was given.
    pub(crate) fn behind(&self) -> Option<&Opened<S::File<'s>>> {
        self.opened.front()
    }

    /// Opens a file, unless it was read under another name.
    fn open_once(
        &mut self,
        name: SegmentName,
        ledger: &mut Ledger,
    ) -> Result<S::File<'s>, OpenError> {
        let text = name.to_string();
        let file = self.source.open(&text)?;
        if self.many_names.first_of(&file)? {
            ledger.note(Notice::hard_linked(&text));
        }
        Ok(file)
    }

    /// Opens segments until one can be; whether there were any.
    fn open(&mut self, ledger: &mut Ledger) -> bool {
        let mut unread = Vec::new();
        while let Some(&name) = self.names.next() {
            match self.open_once(name, ledger) {
                Err(error) => unread.push(Opened { name, file: Err(error) }),
                Ok(file) => {
                    let is_among = |named| unread.iter().any(|opened| opened.name == named);
                    let is_followed = unread.is_empty()
                        || account::previous_of(&file, &mut Buffer::small()).is_none_or(is_among);
                    if is_followed || broken::is(Broken::GapHidden) {
                        self.opened.extend(unread);
                    } else {
                        for left_out in unread {
                            left_out.tell(ledger);
                        }
                    }
                    self.opened.push_back(Opened { name, file: Ok(file) });
                    return true;
                }
            }
        }
        let any = !unread.is_empty();
        self.opened.extend(unread);
        any
    }
}

impl<F> Opened<F> {
    /// Whether reading starts again here: it was listed and is not there any more, as retention deletes
    /// segments.
    pub(crate) fn restarts(&self, gone: Gone) -> bool {
        let is_gone =
            matches!(&self.file, Err(OpenError::Io(error)) if error.kind() == ErrorKind::NotFound);
        is_gone && gone == Gone::StartAgain && !broken::is(Broken::GoneUnread)
    }

    fn tell(&self, ledger: &mut Ledger) {
        if let Err(error) = &self.file {
            ledger.find(file::not_opened(self.name, error));
        }
    }
}
