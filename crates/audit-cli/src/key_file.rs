//! The keys of a log: the private one in a file that nobody else may read, and the public one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use audit_core::Inert;
use audit_core::limits::KEY_FILE_BYTES_MAX;
use audit_log::checkpoint::{KeyError, KeyKind, SigningKey, VerifyingKey};
use rustix::process::geteuid;
use zeroize::Zeroizing;

/// Why a key file is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFileError {
    #[error("cannot read the key {path}: {source}")]
    Read { path: String, source: io::Error },
    #[error("others may read the key {path} (mode {mode:04o}): chmod 600 it, or make another")]
    Open { path: String, mode: u32 },
    #[error("the key {path} belongs to another user (uid {uid}), who can put another in its place")]
    Owner { path: String, uid: u32 },
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
    let about = file.metadata().map_err(failed)?;
    let (mode, uid) = (about.mode() & 0o7777, about.uid());
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Open { path: shown(), mode });
    }
    if ![0, geteuid().as_raw()].contains(&uid) {
        return Err(KeyFileError::Owner { path: shown(), uid });
    }
    let text = read_secret(file).map_err(failed)?;
    let text = str::from_utf8(&text).unwrap_or_default().trim_end();
    let key =
        SigningKey::parse(text).map_err(|source| KeyFileError::Parse { path: shown(), source })?;
    if key.kind() != KeyKind::Ed25519 {
        return Err(KeyFileError::Kind { path: shown() });
    }
    Ok(key)
}

/// Reads what a file holds, up to a bound. No copy of it is left in the memory.
fn read_secret(file: File) -> io::Result<Zeroizing<Vec<u8>>> {
    // Room for all of it from the beginning: bytes that grow leave copies behind.
    let room = usize::try_from(KEY_FILE_BYTES_MAX).unwrap_or(usize::MAX).saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(KEY_FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a private key, durably, into a file that must not exist.
pub(crate) fn write(path: &Path, key: &SigningKey) -> Result<(), KeyFileError> {
    let secret = key.encode();
    make(path, 0o600, &[secret.as_str().as_bytes(), b"\n"])
}

/// Writes a public key, durably, into a file that must not exist.
pub(crate) fn write_public(path: &Path, key: &VerifyingKey) -> Result<(), KeyFileError> {
    make(path, 0o644, &[format!("{key}\n").as_bytes()])
}

/// Makes a file of this mode, whatever the umask is.
fn make(path: &Path, mode: u32, text: &[&[u8]]) -> Result<(), KeyFileError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = opened.and_then(|mut file| {
        let whole = file
            .set_permissions(fs::Permissions::from_mode(mode))
            .and_then(|()| text.iter().try_for_each(|part| file.write_all(part)))
            .and_then(|()| file.sync_all())
            .and_then(|()| File::open(directory_of(path))?.sync_all());
        whole.inspect_err(|_| {
            // A key that is not whole is none.
            fs::remove_file(path).unwrap_or_default();
        })
    });
    let shown = || Inert(&path.to_string_lossy()).to_string();
    written.map_err(|source| KeyFileError::Make { path: shown(), source })
}

fn directory_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Reads a public key: its text, or the file that holds it.
pub(crate) fn public(text: &str) -> Result<VerifyingKey, String> {
    let error = match text.parse() {
        Ok(key) => return Ok(key),
        Err(error) => error,
    };
    let shown = Inert(text);
    let held = match File::open(text).and_then(read_secret) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
            return Err(format!("{error}, and no file is called so"));
        }
        held => held.map_err(|error| format!("cannot read {shown}: {error}"))?,
    };
    let held = str::from_utf8(&held).unwrap_or_default().trim_end();
    if holds_private(held.as_bytes()) {
        return Err(format!("{shown} holds a private key: audit vkey prints the public one"));
    }
    held.parse().map_err(|error| format!("{shown} holds no public key: {error}"))
}

/// Whether a private key stands in a text.
pub(crate) fn holds_private(text: &[u8]) -> bool {
    memchr::memmem::find(text, SigningKey::TEXT_PREFIX.as_bytes()).is_some()
}
