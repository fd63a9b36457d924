//! Why the policy to reject refuses an event.

/// A text is hostile or too long, and the policy is [`TextPolicy::Reject`]. Under
/// [`TextPolicy::Neutralise`] there is no such error.
///
/// [`TextPolicy::Reject`]: audit_core::TextPolicy::Reject
/// [`TextPolicy::Neutralise`]: audit_core::TextPolicy::Neutralise
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {fault}", if pointer.is_empty() { "the event" } else { pointer })]
pub struct ValidationError {
    /// Which value: an RFC 6901 pointer into the event, hostile keys in it neutralised; empty for
    /// the whole event.
    pub pointer: String,
    /// What is wrong with it.
    pub fault: TextFault,
}

/// What is wrong with a value: the first thing that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextFault {
    /// It holds a hostile code point, or U+27E6, which is neutralised like one because it begins
    /// every marker.
    #[error("holds U+{:04X}", u32::from(*.0))]
    Hostile(char),
    /// It holds a byte that is no part of UTF-8.
    #[error("holds the byte {0:02X}, which is not UTF-8")]
    InvalidByte(u8),
    /// It holds a surrogate without its partner.
    #[error("holds the unpaired surrogate U+{0:04X}")]
    LoneSurrogate(u16),
    /// It is too long.
    #[error("takes {bytes} bytes where {bytes_max} are allowed")]
    TooLong {
        /// Its length in bytes of JSON, a text's without its quotes.
        bytes: usize,
        /// The limit, in the same unit.
        bytes_max: usize,
    },
    /// It is a list of too many texts.
    #[error("has {items} items where {items_max} are allowed")]
    TooManyItems {
        /// How many it has.
        items: usize,
        /// The limit.
        items_max: usize,
    },
    /// It is JSON of too many levels.
    #[error("is nested deeper than {depth_max} levels")]
    TooDeep {
        /// The limit.
        depth_max: usize,
    },
}
