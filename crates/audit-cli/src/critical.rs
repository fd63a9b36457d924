//! Whether text that is no event names a critical type: its loss is then counted as a critical one.

use audit_core::AuditEvent;
use audit_core::event::Criticality;
use memchr::memmem;

/// Whether a text names a type that is critical by itself.
pub(crate) fn names_critical(text: &[u8]) -> bool {
    critical_names().any(|name| memmem::find(text, name.as_bytes()).is_some())
}

fn critical_names() -> impl Iterator<Item = &'static str> {
    let critical = AuditEvent::TABLE.iter().filter(|row| row.criticality == Criticality::Critical);
    critical.map(|row| row.event_type)
}

/// The same of a text that comes in pieces, of which none is kept.
#[derive(Debug, Default)]
pub(crate) struct Names {
    is_found: bool,
    /// The end of what came, in which a name may begin.
    end: Vec<u8>,
}

impl Names {
    /// Takes the next piece.
    pub(crate) fn add(&mut self, piece: &[u8]) {
        if self.is_found {
            return;
        }
        self.end.extend_from_slice(piece);
        self.is_found = names_critical(&self.end);
        let longest = critical_names().map(str::len).max().unwrap_or_default();
        let gone = self.end.len().saturating_sub(longest);
        self.end.drain(..gone);
    }

    /// Whether one was named.
    pub(crate) const fn is_critical(&self) -> bool {
        self.is_found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_wherever_its_text_is_cut() {
        for name in critical_names() {
            let text = format!("{{\"event_type\":\"{name}\",\"x");
            assert!(names_critical(text.as_bytes()), "{text}");
            for cut in 0..=text.len() {
                let mut names = Names::default();
                let (one, two) = text.as_bytes().split_at(cut);
                names.add(one);
                names.add(two);
                assert!(names.is_critical(), "{text} cut at {cut}");
            }
        }
        assert!(!names_critical(b"{\"event_type\":\"auth_success\"}"));
        assert!(!names_critical(b"auth-failure auth_failur"));
    }
}
