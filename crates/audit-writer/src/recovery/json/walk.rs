//! The walk over a JSON value.

use std::cmp::Ordering;

use audit_core::limits::RECORD_DEPTH_MAX;

use super::text::{Text, escape};

/// Keys of an object up to which all pairs are compared; more are sorted.
const PAIRS_MAX: usize = 16;

pub(super) struct Walk<'t> {
    rest: &'t [u8],
    /// Those of the objects that it is in.
    keys: Vec<Text<'t>>,
}

impl<'t> Walk<'t> {
    pub(super) const fn new(text: &'t [u8]) -> Self {
        Self { rest: text, keys: Vec::new() }
    }

    /// A walk with room for the keys of most events.
    pub(super) fn with_room(text: &'t [u8]) -> Self {
        Self { rest: text, keys: Vec::with_capacity(PAIRS_MAX) }
    }

    pub(super) const fn rest(&self) -> &'t [u8] {
        self.rest
    }

    pub(super) const fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// Walks an object whose first member is its type; what that is.
    pub(super) fn event(&mut self) -> Option<Text<'t>> {
        self.expect(b'{')?;
        let key = self.text()?;
        if !key.is("event_type") {
            return None;
        }
        self.expect(b':')?;
        let event_type = self.text()?;
        self.keys.push(key);
        self.further_members(1, 0, &mut |_, _| ())?;
        Some(event_type)
    }

    /// Walks an object that is so deep, and shows its members.
    pub(super) fn object(
        &mut self,
        depth: usize,
        mut show: impl FnMut(Text<'t>, &'t [u8]),
    ) -> Option<()> {
        self.enter(b'{', depth)?;
        if self.takes(b'}') {
            return Some(());
        }
        let outer = self.keys.len();
        self.member(depth, &mut show)?;
        self.further_members(depth, outer, &mut show)
    }

    /// Walks a list that is so deep, and shows its items.
    pub(super) fn list(&mut self, depth: usize, mut show: impl FnMut(&'t [u8])) -> Option<()> {
        self.enter(b'[', depth)?;
        if self.takes(b']') {
            return Some(());
        }
        loop {
            show(self.value(depth)?);
            if self.takes(b']') {
                return Some(());
            }
            self.expect(b',')?;
        }
    }

    /// Walks a text.
    pub(super) fn text(&mut self) -> Option<Text<'t>> {
        self.expect(b'"')?;
        let start = self.rest;
        let mut escaped = false;
        loop {
            let rest = self.rest.get(plain_bytes(self.rest)..)?;
            self.rest = rest;
            if self.takes(b'"') {
                let length = start.len().checked_sub(rest.len())?;
                return Some(Text::new(start.get(..length)?, escaped));
            }
            self.expect(b'\\')?;
            escaped = true;
            let (_, bytes) = escape(self.rest)?;
            self.rest = self.rest.get(bytes..)?;
        }
    }

    fn further_members(
        &mut self,
        depth: usize,
        outer: usize,
        show: &mut impl FnMut(Text<'t>, &'t [u8]),
    ) -> Option<()> {
        while !self.takes(b'}') {
            self.expect(b',')?;
            self.member(depth, show)?;
        }
        let all_differ = all_differ(self.keys.get_mut(outer..)?);
        self.keys.truncate(outer);
        all_differ.then_some(())
    }

    fn member(&mut self, depth: usize, show: &mut impl FnMut(Text<'t>, &'t [u8])) -> Option<()> {
        let key = self.text()?;
        self.keys.push(key);
        self.expect(b':')?;
        show(key, self.value(depth)?);
        Some(())
    }

    /// Walks a value of an object or list that is so deep; its bytes.
    fn value(&mut self, depth: usize) -> Option<&'t [u8]> {
        let start = self.rest;
        match start.first()? {
            b'"' => self.text().map(drop),
            b'{' => self.object(depth.checked_add(1)?, |_, _| ()),
            b'[' => self.list(depth.checked_add(1)?, |_| ()),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(),
        }?;
        start.get(..start.len().checked_sub(self.rest.len())?)
    }

    fn enter(&mut self, bracket: u8, depth: usize) -> Option<()> {
        if depth > RECORD_DEPTH_MAX { None } else { self.expect(bracket) }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.takes(b'-');
        if !self.takes(b'0') {
            self.digits()?;
        }
        if self.takes(b'.') {
            self.digits()?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            let _ = self.takes(b'+') || self.takes(b'-');
            self.digits()?;
        }
        Some(())
    }

    /// Walks one digit or more.
    fn digits(&mut self) -> Option<()> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.rest = self.rest.get(digits..)?;
        (digits > 0).then_some(())
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.takes(byte).then_some(())
    }

    fn takes(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((&first, rest)) if first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }
}

/// Bytes before the first quote or backslash. Most texts are short, so eight at a time beat a search
/// that has more to set up.
fn plain_bytes(text: &[u8]) -> usize {
    const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
    const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);
    // The lowest high bit that is set is that of the first byte that is 0: a borrow reaches only the
    // bytes behind it.
    let zeros = |word: u64| {
        word.wrapping_sub(u64::from_le_bytes([1; 8])) & !word & u64::from_le_bytes([0x80; 8])
    };
    let (eights, rest) = text.as_chunks::<8>();
    let mut plain = 0_usize;
    for eight in eights {
        let word = u64::from_le_bytes(*eight);
        let special = zeros(word ^ QUOTES) | zeros(word ^ BACKSLASHES);
        if special != 0 {
            let before = usize::try_from(special.trailing_zeros() / 8).unwrap_or_default();
            return plain.saturating_add(before);
        }
        plain = plain.saturating_add(8);
    }
    let special = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
    plain.saturating_add(special.unwrap_or(rest.len()))
}

/// Whether no key is there twice. Changes their order.
fn all_differ(keys: &mut [Text<'_>]) -> bool {
    if keys.len() > PAIRS_MAX {
        keys.sort_unstable_by(Text::compare);
        return keys.array_windows().all(|[one, next]| one.compare(next) == Ordering::Less);
    }
    let mut rest = &*keys;
    while let Some((key, others)) = rest.split_first() {
        if others.iter().any(|other| key.is_same(other)) {
            return false;
        }
        rest = others;
    }
    true
}
