//! Strict JSON: RFC 8259 without white space, without duplicate keys, without unpaired surrogates,
//! of bounded depth. Nothing is built; text is only looked at.

mod keys;

use audit_core::limits::RECORD_DEPTH_MAX;

pub(crate) use keys::Scratch;

/// Why text is not what it should be, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JsonFault {
    /// Bytes before it.
    pub(crate) at: usize,
    pub(crate) what: &'static str,
}

/// An event, looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventJson<'t> {
    /// What stands between the quotes of its type, as it is written.
    pub(crate) event_type: &'t [u8],
    /// Whether it says of itself that it is critical.
    pub(crate) critical: bool,
    /// Its bytes.
    pub(crate) length: usize,
}

/// Looks at the event at the beginning of `text`, which is UTF-8.
pub(crate) fn event<'t>(text: &'t [u8], scratch: &mut Scratch) -> Result<EventJson<'t>, JsonFault> {
    scratch.clear();
    let mut scanner = Scanner { text, rest: text, scratch, event_type: None, critical: false };
    if scanner.rest.first() != Some(&b'{') {
        return Err(scanner.fault("an event is an object"));
    }
    scanner.object(1)?;
    let length = scanner.at();
    match scanner.event_type {
        Some(event_type) => Ok(EventJson { event_type, critical: scanner.critical, length }),
        None => Err(JsonFault { at: 0, what: "an event has a type" }),
    }
}

/// Looks at the list of texts that `text` is, and shows what stands between the quotes of each.
pub(crate) fn texts<'t>(
    text: &'t [u8],
    scratch: &mut Scratch,
    mut show: impl FnMut(&'t [u8]),
) -> Result<(), JsonFault> {
    scratch.clear();
    let mut scanner = Scanner { text, rest: text, scratch, event_type: None, critical: false };
    scanner.expect(b'[', "a list begins with a bracket")?;
    loop {
        show(scanner.string()?.raw);
        match scanner.take() {
            Some(b',') => {}
            Some(b']') if scanner.rest.is_empty() => return Ok(()),
            _ => return Err(scanner.fault_before("a list of texts is that and no more")),
        }
    }
}

/// What stands between the quotes of a text that was looked at, without escapes. Appended to `out`.
pub(crate) fn unescape(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some((&escape, after)) = rest.split_first() else { return };
        rest = after;
        let plain = match escape {
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let Some((c, after)) = code_point(rest) else { return };
                rest = after;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            itself => itself,
        };
        out.push(plain);
    }
}

/// A text that was looked at.
#[derive(Clone, Copy, Debug)]
struct Quoted<'t> {
    /// What stands between the quotes.
    raw: &'t [u8],
    escaped: bool,
}

struct Scanner<'s, 't> {
    text: &'t [u8],
    rest: &'t [u8],
    scratch: &'s mut Scratch,
    event_type: Option<&'t [u8]>,
    critical: bool,
}

impl<'t> Scanner<'_, 't> {
    fn at(&self) -> usize {
        self.text.len().saturating_sub(self.rest.len())
    }

    fn fault(&self, what: &'static str) -> JsonFault {
        JsonFault { at: self.at(), what }
    }

    /// A fault at the byte that was just taken.
    fn fault_before(&self, what: &'static str) -> JsonFault {
        JsonFault { at: self.at().saturating_sub(1), what }
    }

    fn take(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), JsonFault> {
        match self.rest.split_first() {
            Some((&first, rest)) if first == byte => {
                self.rest = rest;
                Ok(())
            }
            _ => Err(self.fault(what)),
        }
    }

    fn value(&mut self, depth: usize) -> Result<(), JsonFault> {
        match self.rest.first() {
            Some(b'"') => self.string().map(drop),
            Some(b'{') => self.object(depth.saturating_add(1)),
            Some(b'[') => self.array(depth.saturating_add(1)),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b' ' | b'\t' | b'\r') => Err(self.fault("white space outside texts")),
            Some(_) | None => Err(self.fault("no value stands here")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), JsonFault> {
        self.descend(depth)?;
        let keys_before = self.scratch.mark();
        if self.rest.first() == Some(&b'}') {
            self.take();
            return Ok(());
        }
        loop {
            let key_at = self.at();
            let key = self.string()?;
            self.scratch.push(key_at.saturating_add(1), key.raw, key.escaped);
            self.expect(b':', "a colon follows a key, at once")?;
            let before = self.rest;
            self.value(depth)?;
            if depth == 1 {
                let length = before.len().saturating_sub(self.rest.len());
                self.member(key, before.get(..length).unwrap_or_default())?;
            }
            match self.take() {
                Some(b',') => {}
                Some(b'}') => break,
                _ => return Err(self.fault_before("a comma or the end follows a member, at once")),
            }
        }
        match self.scratch.duplicate(self.text, keys_before) {
            None => Ok(()),
            Some(at) => Err(JsonFault { at, what: "a key stands twice in an object" }),
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), JsonFault> {
        self.descend(depth)?;
        if self.rest.first() == Some(&b']') {
            self.take();
            return Ok(());
        }
        loop {
            self.value(depth)?;
            match self.take() {
                Some(b',') => {}
                Some(b']') => return Ok(()),
                _ => return Err(self.fault_before("a comma or the end follows an item, at once")),
            }
        }
    }

    /// Enters an object or a list.
    fn descend(&mut self, depth: usize) -> Result<(), JsonFault> {
        if depth > RECORD_DEPTH_MAX {
            return Err(self.fault("an event is nested too deeply"));
        }
        self.take();
        Ok(())
    }

    /// Sees a member of the event itself.
    fn member(&mut self, key: Quoted<'t>, value: &'t [u8]) -> Result<(), JsonFault> {
        if self.event_type.is_none() {
            let quoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
            self.event_type = quoted.filter(|_| is_text(key, b"event_type"));
            if self.event_type.is_none() {
                return Err(JsonFault { at: 1, what: "the first member is event_type, a text" });
            }
        } else if value == b"true" && is_text(key, b"critical") {
            self.critical = true;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<Quoted<'t>, JsonFault> {
        self.expect(b'"', "a text begins with a quote")?;
        let start = self.rest;
        let mut escaped = false;
        loop {
            let plain = plain_bytes(self.rest);
            self.rest = self.rest.get(plain..).unwrap_or_default();
            match self.rest.split_first() {
                Some((b'"', rest)) => {
                    let length = start.len().saturating_sub(self.rest.len());
                    self.rest = rest;
                    return Ok(Quoted { raw: start.get(..length).unwrap_or_default(), escaped });
                }
                Some((b'\\', _)) => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.fault("a control character stands raw in a text")),
                None => return Err(self.fault("a text has no end")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonFault> {
        let fault = self.fault("no such escape, or half of a surrogate pair");
        self.take();
        self.rest = match self.rest.split_first() {
            Some((b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', rest)) => rest,
            Some((b'u', digits)) => code_point(digits).ok_or(fault)?.1,
            Some(_) | None => return Err(fault),
        };
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonFault> {
        self.rest = self.rest.strip_prefix(word).ok_or(self.fault("no value stands here"))?;
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonFault> {
        let fault = self.fault("a number is not written as one");
        self.rest = self.rest.strip_prefix(b"-").unwrap_or(self.rest);
        match self.take() {
            Some(b'0') => {}
            Some(b'1'..=b'9') => {
                self.digits();
            }
            _ => return Err(fault),
        }
        if let Some(fraction) = self.rest.strip_prefix(b".") {
            self.rest = fraction;
            if self.digits() == 0 {
                return Err(fault);
            }
        }
        if let Some((b'e' | b'E', exponent)) = self.rest.split_first() {
            let unsigned = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-"));
            self.rest = unsigned.unwrap_or(exponent);
            if self.digits() == 0 {
                return Err(fault);
            }
        }
        Ok(())
    }

    /// Passes digits; how many.
    fn digits(&mut self) -> usize {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.rest = self.rest.get(digits..).unwrap_or_default();
        digits
    }
}

fn is_text(quoted: Quoted<'_>, text: &[u8]) -> bool {
    if !quoted.escaped {
        return quoted.raw == text;
    }
    let mut plain = Vec::new();
    unescape(quoted.raw, &mut plain);
    plain == text
}

/// The code point that hex digits after `\u` stand for, with the second half of a pair.
fn code_point(digits: &[u8]) -> Option<(char, &[u8])> {
    let (first, rest) = four_hex_digits(digits)?;
    if let Some(c) = char::from_u32(first) {
        return Some((c, rest));
    }
    let (second, rest) = four_hex_digits(rest.strip_prefix(b"\\u")?)?;
    let high = first.checked_sub(0xd800).filter(|&high| high < 0x400)?;
    let low = second.checked_sub(0xdc00).filter(|&low| low < 0x400)?;
    let c = char::from_u32((high << 10 | low).saturating_add(0x1_0000))?;
    Some((c, rest))
}

fn four_hex_digits(digits: &[u8]) -> Option<(u32, &[u8])> {
    let (four, rest) = digits.split_at_checked(4)?;
    let value = four
        .iter()
        .try_fold(0_u32, |value, &digit| Some(value << 4 | char::from(digit).to_digit(16)?))?;
    Some((value, rest))
}

/// Bytes before the first quote, backslash or control character; eight at a time.
fn plain_bytes(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);
    const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
    const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);
    const SPACES: u64 = u64::from_le_bytes([b' '; 8]);
    // The lowest high bit set in the result stands for the first byte that is 0, or below a space:
    // borrows only ever reach bytes above it.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let (eights, rest) = text.as_chunks::<8>();
    let mut plain = 0_usize;
    for eight in eights {
        let word = u64::from_le_bytes(*eight);
        let control = word.wrapping_sub(SPACES) & !word;
        let special = (zero(word ^ QUOTES) | zero(word ^ BACKSLASHES) | control) & HIGHS;
        if special != 0 {
            let bits = usize::try_from(special.trailing_zeros()).unwrap_or_default();
            return plain.saturating_add(bits >> 3);
        }
        plain = plain.saturating_add(8);
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    plain.saturating_add(rest.iter().position(special).unwrap_or(rest.len()))
}

#[cfg(test)]
mod tests;
