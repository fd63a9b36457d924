//! Keys of objects, to find the one that stands twice.

use super::unescape;

/// Keys of an object up to which all pairs are compared; more are sorted.
const PAIRS_MAX: usize = 16;

/// What a scan needs besides the text. Kept from line to line, so that it allocates only until it
/// has grown to what the longest line asks for.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    keys: Vec<Key>,
    /// Keys that held escapes, without them.
    plain: Vec<u8>,
}

/// A key, where it stands.
#[derive(Clone, Copy, Debug)]
struct Key {
    start: usize,
    length: usize,
    /// Whether it stands in the scratch and not in the text.
    unescaped: bool,
    /// Where it stands in the text, for the finding.
    at: usize,
}

/// How many keys there were when an object began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    keys: usize,
    plain: usize,
}

impl Key {
    fn bytes<'k>(&self, text: &'k [u8], plain: &'k [u8]) -> &'k [u8] {
        let all = if self.unescaped { plain } else { text };
        let end = self.start.saturating_add(self.length);
        all.get(self.start..end).unwrap_or_default()
    }
}

impl Scratch {
    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.plain.clear();
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { keys: self.keys.len(), plain: self.plain.len() }
    }

    /// Adds the key whose raw text begins at `at`.
    pub(super) fn push(&mut self, at: usize, raw: &[u8], escaped: bool) {
        if !escaped {
            self.keys.push(Key { start: at, length: raw.len(), unescaped: false, at });
            return;
        }
        let start = self.plain.len();
        unescape(raw, &mut self.plain);
        let length = self.plain.len().saturating_sub(start);
        self.keys.push(Key { start, length, unescaped: true, at });
    }

    /// Where the second of two equal keys stands among those added since the mark. They are
    /// forgotten.
    pub(super) fn duplicate(&mut self, text: &[u8], since: Mark) -> Option<usize> {
        let Self { keys, plain } = self;
        let object = keys.get_mut(since.keys..).unwrap_or_default();
        let found = if object.len() <= PAIRS_MAX {
            let mut after = &*object;
            std::iter::from_fn(|| {
                let (key, rest) = after.split_first()?;
                after = rest;
                Some((key, rest))
            })
            .find_map(|(key, rest)| {
                let twin = |other: &&Key| other.bytes(text, plain) == key.bytes(text, plain);
                rest.iter().find(twin)
            })
            .map(|twin| twin.at)
        } else {
            // Sorting is stable, so of two equal keys the second one comes second.
            object.sort_by(|a, b| a.bytes(text, plain).cmp(b.bytes(text, plain)));
            object.array_windows().find_map(|[first, second]| {
                (first.bytes(text, plain) == second.bytes(text, plain)).then_some(second.at)
            })
        };
        keys.truncate(since.keys);
        plain.truncate(since.plain);
        found
    }
}
