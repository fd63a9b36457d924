//! The name of the service that a log belongs to.

use std::fmt;
use std::str::FromStr;

use crate::limits::SERVICE_ID_BYTES_MAX;

/// A service identifier, `[A-Za-z0-9][A-Za-z0-9._-]{0,40}`: the same in every record of a log.
///
/// Held in place, so that copying it costs no allocation.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServiceId {
    len: usize,
    bytes: [u8; SERVICE_ID_BYTES_MAX],
}

/// Why a text is no service identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a service id is 1 to {SERVICE_ID_BYTES_MAX} of A-Z a-z 0-9 . _ - and begins with a letter or digit"
)]
pub struct ServiceIdError;

impl ServiceId {
    /// Takes a name.
    ///
    /// # Errors
    ///
    /// [`ServiceIdError`] when the name is empty, too long, or holds another character.
    pub fn new(name: &str) -> Result<Self, ServiceIdError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let starts = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        if !starts || !name.bytes().all(allowed) {
            return Err(ServiceIdError);
        }
        let mut bytes = [0; SERVICE_ID_BYTES_MAX];
        bytes.get_mut(..name.len()).ok_or(ServiceIdError)?.copy_from_slice(name.as_bytes());
        Ok(Self { len: name.len(), bytes })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let name = self.bytes.get(..self.len).unwrap_or_default();
        std::str::from_utf8(name).unwrap_or_default()
    }
}

impl FromStr for ServiceId {
    type Err = ServiceIdError;

    fn from_str(name: &str) -> Result<Self, ServiceIdError> {
        Self::new(name)
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_the_pattern() {
        let longest = "a".repeat(SERVICE_ID_BYTES_MAX);
        for good in ["a", "sshd.LabSZ", "0-_.", longest.as_str()] {
            assert_eq!(ServiceId::new(good).unwrap().as_str(), good);
        }
        let too_long = format!("{longest}a");
        for bad in ["", ".a", "-a", "a b", "a/b", "a\n", "\u{e9}", too_long.as_str()] {
            assert_eq!(ServiceId::new(bad), Err(ServiceIdError), "{bad:?}");
        }
    }
}
