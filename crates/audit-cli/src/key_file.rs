//! A private key in a file that nobody else may read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use audit_core::Inert;
use audit_core::limits::KEY_FILE_BYTES_MAX;
use audit_log::checkpoint::{KeyError, KeyKind, SigningKey};

/// Why a key file is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFileError {
    #[error("cannot read the key {path}: {source}")]
    Read { path: String, source: io::Error },
    #[error("others may read the key {path} (mode {mode:04o}): chmod 600 it, or make another")]
    Open { path: String, mode: u32 },
    #[error("{path} holds no private key: {source}")]
    Parse { path: String, source: KeyError },
    #[error("the key {path} is a witness's, not a log's")]
    Kind { path: String },
    #[error("cannot make the key {path}: {source}")]
    Make { path: String, source: io::Error },
}

/// Reads the private key of a log.
pub(crate) fn read(path: &Path) -> Result<SigningKey, KeyFileError> {
    let shown = || Inert(&path.to_string_lossy()).to_string();
    let failed = |source| KeyFileError::Read { path: shown(), source };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Open { path: shown(), mode });
    }
    let mut text = String::new();
    file.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    let key = SigningKey::parse(text.trim_end())
        .map_err(|source| KeyFileError::Parse { path: shown(), source })?;
    if key.kind() != KeyKind::Ed25519 {
        return Err(KeyFileError::Kind { path: shown() });
    }
    Ok(key)
}

/// Writes a private key, durably, into a file that must not exist.
pub(crate) fn write(path: &Path, key: &SigningKey) -> Result<(), KeyFileError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = made.and_then(|mut file| {
        let secret = key.encode();
        let text = [secret.as_str().as_bytes(), b"\n"];
        let whole = text.iter().try_for_each(|part| file.write_all(part));
        whole.and_then(|()| file.sync_all()).inspect_err(|_| {
            // A key that is not whole is none.
            fs::remove_file(path).unwrap_or_default();
        })
    });
    let shown = || Inert(&path.to_string_lossy()).to_string();
    written.map_err(|source| KeyFileError::Make { path: shown(), source })
}
