//! The thread that takes checkpoints to their sinks, so that none of them holds up the log.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use crate::sinks::CheckpointSink;
use crate::sync::{Arc, Mutex, lock, thread};

/// What the thread is called in a list of threads.
const THREAD_NAME: &str = "audit-sinks";

/// A sink did not take a checkpoint.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{sink}: {cause}")]
#[non_exhaustive]
pub struct SinkFailure {
    /// What the sink is called.
    pub sink: String,
    /// Why it did not.
    pub cause: Arc<io::Error>,
}

/// What the thread is told. It ends when nobody can tell it anything any more.
enum Mail {
    Note(String),
    /// Answer when everything before this is done.
    Done(Sender<()>),
}

/// Which sink did not take the last checkpoint, as far as that is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastFailure(Arc<Mutex<Option<SinkFailure>>>);

impl LastFailure {
    /// Of several, the first.
    pub(crate) fn look(&self) -> Option<SinkFailure> {
        lock(&self.0).clone()
    }
}

/// Checkpoints on their way to the sinks.
#[derive(Debug)]
pub(crate) struct Outbox {
    mail: Sender<Mail>,
    failure: LastFailure,
}

impl Outbox {
    /// Starts the thread.
    pub(crate) fn start(mut sinks: Vec<Box<dyn CheckpointSink>>) -> io::Result<Self> {
        let (mail, letters) = mpsc::channel();
        let failure = LastFailure::default();
        let told = failure.clone();
        let deliver = move || {
            each_newest(&letters, |note| {
                let outcome = put(&mut sinks, note);
                *lock(&told.0) = outcome;
            });
        };
        thread::Builder::new().name(THREAD_NAME.to_owned()).spawn(deliver)?;
        Ok(Self { mail, failure })
    }

    /// Sends a checkpoint on its way. One that is still waiting is left out: this one covers it.
    pub(crate) fn send(&self, note: String) {
        // Without the thread, which ends only with a panic of a sink, nobody takes it.
        self.mail.send(Mail::Note(note)).unwrap_or_default();
    }

    /// Where to look for what failed.
    pub(crate) fn failure(&self) -> &LastFailure {
        &self.failure
    }

    /// Waits until all that was sent is delivered, or the deadline is over.
    pub(crate) fn finish(&self, deadline: Duration) {
        let (done, answer) = mpsc::channel();
        if self.mail.send(Mail::Done(done)).is_ok() {
            answer.recv_timeout(deadline).unwrap_or_default();
        }
    }
}

/// Hands on each note that no other has followed yet.
fn each_newest(letters: &Receiver<Mail>, mut deliver: impl FnMut(&str)) {
    while let Ok(mut letter) = letters.recv() {
        let mut done = Vec::new();
        let mut newest = None;
        loop {
            match letter {
                Mail::Note(note) => newest = Some(note),
                Mail::Done(answer) => done.push(answer),
            }
            match letters.try_recv() {
                Ok(next) => letter = next,
                Err(_) => break,
            }
        }
        if let Some(note) = newest {
            deliver(&note);
        }
        for answer in done {
            answer.send(()).unwrap_or_default();
        }
    }
}

fn put(sinks: &mut [Box<dyn CheckpointSink>], note: &str) -> Option<SinkFailure> {
    let mut first = None;
    for sink in sinks {
        if let Err(error) = sink.put(note) {
            let failure = SinkFailure { sink: sink.name(), cause: Arc::new(error) };
            first.get_or_insert(failure);
        }
    }
    first
}

/// Sleeps.
pub(crate) fn nap(time: Duration) {
    thread::sleep(time);
}
