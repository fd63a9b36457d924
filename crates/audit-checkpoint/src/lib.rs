//! What a log says of itself, in a form that others can check: signed notes, checkpoints and
//! cosignatures, after the specifications of c2sp.org and RFC 6962 section 2.1.
//!
//! ```
//! use audit_checkpoint::{Checkpoint, KeyKind, KeyName, SignedCheckpoint, SigningKey};
//!
//! let seed = [7; 32]; // Random bytes, which nobody else may know.
//! let name = KeyName::new("audit.example/host-1")?;
//! let key = SigningKey::from_seed(name, KeyKind::Ed25519, &seed)?;
//! let empty = audit_core::Frontier::new();
//! let note = Checkpoint::new(key.name(), empty.size(), empty.root()).sign(&key)?;
//!
//! let signed = SignedCheckpoint::open(note, &[key.verifying_key().clone()])?;
//! assert_eq!(signed.checkpoint().origin(), "audit.example/host-1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Everything here is a pure function of its arguments: this crate opens no file and no connection,
//! reads no clock, starts no thread and draws no random number; seeds and times are the caller's.
//! It does not know what a leaf is, keeps no tree, and does not decide which keys to trust. It
//! refuses what is not written as it would write it, and keeps what it does not know: signatures of
//! other algorithms stay in a note, are never judged and never counted.
//!
//! | module | specification |
//! |---|---|
//! | [`key`], [`note`] | c2sp.org/signed-note |
//! | [`checkpoint`] | c2sp.org/tlog-checkpoint |
//! | [`cosignature`] | c2sp.org/tlog-cosignature |
//! | [`tree`] | RFC 6962 sections 2.1.1 and 2.1.2 |
//! | [`proof`] | c2sp.org/tlog-proof; a request of c2sp.org/tlog-witness |
//! | [`policy`] | c2sp.org/tlog-policy |

pub mod checkpoint;
pub mod cosignature;
pub mod key;
pub mod note;
pub mod policy;
pub mod proof;
pub mod tree;

mod encoding;
#[cfg(test)]
mod sample;

pub use checkpoint::{Checkpoint, CheckpointError, Cosigned, SignedCheckpoint};
pub use cosignature::{CosignatureError, cosign};
pub use key::{
    KeyError, KeyId, KeyKind, KeyName, MlDsa44Key, SecretText, SigningKey, VerifyingKey, WitnessKey,
};
pub use note::{Note, NoteError, NoteSignature, Verified};
pub use policy::{Evaluation, Policy, PolicyError, PolicyFault, PolicyLog, PolicyWitness, Quorum};
pub use proof::{ConsistencyProof, InclusionProof, ProofError};
pub use tree::{Prover, TreeError, check_consistency, check_inclusion};
