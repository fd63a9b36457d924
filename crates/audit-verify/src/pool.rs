//! Threads that read pieces of a segment ahead of whoever takes them in order.

use std::iter;
use std::num::NonZeroUsize;
use std::ops::{ControlFlow, Range};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread;

use crate::piece::Piece;
use crate::source::LogFile;

/// Bytes of a piece: enough that handing it on costs nothing, and few for the memory.
const PIECE_BYTES: NonZeroUsize = NonZeroUsize::new(1 << 18).unwrap();

/// Pieces that a thread has ready: one, so that it need not wait for its turn to be taken.
const READY: usize = 1;

/// By how many threads a log is read, and in pieces of what size. The report is the same whatever
/// is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jobs {
    threads: NonZeroUsize,
    piece_bytes: NonZeroUsize,
}

impl Jobs {
    /// The thread that calls, and no other.
    pub const ONE: Self = Self::new(NonZeroUsize::MIN);

    /// So many threads read and look at records, and the one that calls joins what they found. A
    /// segment that is no longer than a piece is read by the one that calls.
    #[must_use]
    pub const fn new(threads: NonZeroUsize) -> Self {
        Self { threads, piece_bytes: PIECE_BYTES }
    }

    /// In pieces of this many bytes instead of 262,144. For each thread there are up to three of them
    /// in memory, each with room for the rest of its last line.
    #[must_use]
    pub const fn in_pieces_of(self, piece_bytes: NonZeroUsize) -> Self {
        Self { piece_bytes, ..self }
    }
}

/// One.
impl Default for Jobs {
    fn default() -> Self {
        Self::ONE
    }
}

/// Where a thread's pieces come from, and where they go once they were seen.
struct Lane {
    pieces: Receiver<Piece>,
    seen: Sender<Piece>,
}

/// Shows the pieces of the lines of a file, from one that begins with the span, in order. All that
/// were not shown, because the visitor has seen enough or a thread could not be started, are still to
/// be read.
pub(crate) fn read_ahead<F: LogFile>(
    file: &F,
    span: Range<u64>,
    jobs: Jobs,
    visit: &mut dyn FnMut(&Piece) -> ControlFlow<()>,
) {
    let Range { start: begin, end } = span;
    let piece_bytes = u64::try_from(jobs.piece_bytes.get()).unwrap_or(u64::MAX);
    let bytes = end.saturating_sub(begin);
    if jobs.threads == NonZeroUsize::MIN || bytes <= piece_bytes {
        return;
    }
    let pieces = usize::try_from(bytes.div_ceil(piece_bytes)).unwrap_or(usize::MAX);
    let threads = jobs.threads.get().min(pieces);
    thread::scope(|scope| {
        let start = |first: usize| {
            let (ready, pieces) = mpsc::sync_channel(READY);
            let (seen, spare) = mpsc::channel();
            let part = move |number| {
                let before = piece_bytes.saturating_mul(u64::try_from(number).unwrap_or(u64::MAX));
                let start = begin.saturating_add(before);
                start..start.saturating_add(piece_bytes)
            };
            let parts =
                (first..).step_by(threads).map(part).take_while(move |part| part.start < end);
            let read = move || read_parts(file, parts, end, &ready, &spare);
            let started = thread::Builder::new().spawn_scoped(scope, read);
            started.ok().map(|_| Lane { pieces, seen })
        };
        let lanes: Option<Vec<Lane>> = (0..threads).map(start).collect();
        let mut turns = lanes.iter().flat_map(|lanes| iter::repeat(lanes).flatten());
        while let Some((lane, piece)) =
            turns.next().and_then(|lane| Some((lane, lane.pieces.recv().ok()?)))
        {
            if visit(&piece).is_break() {
                return;
            }
            // A thread that has read its last piece needs no other.
            let _done = lane.seen.send(piece);
        }
    });
}

/// Reads parts until there is none or nobody asks for them any more.
fn read_parts(
    file: &impl LogFile,
    parts: impl Iterator<Item = Range<u64>>,
    end: u64,
    ready: &SyncSender<Piece>,
    spare: &Receiver<Piece>,
) {
    for part in parts {
        let mut piece = spare.try_recv().unwrap_or_default();
        piece.read(file, part, end);
        if ready.send(piece).is_err() {
            return;
        }
    }
}
