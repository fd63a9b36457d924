//! What golang.org/x/mod says of our checkpoints and proofs, whole and with one bit changed.

#![expect(clippy::print_stdout, reason = "a test says why it was skipped")]
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a helper of tests fails where it stands, and its numbers are small"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use audit_checkpoint::{
    Checkpoint, ConsistencyProof, InclusionProof, KeyKind, KeyName, Note, Prover, SignedCheckpoint,
    SigningKey, VerifyingKey,
};
use audit_core::digest::leaf_hash;
use audit_core::{Digest, Frontier};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Where Debian's golang-golang-x-mod-dev puts its sources.
const GOPATH: &str = "/usr/share/gocode";

const OLD_SIZE: u64 = 11;
const SIZE: u64 = 13;
const INDEX: u64 = 7;

/// What is claimed, with everything in it that could be changed.
#[derive(Clone)]
struct Claim {
    key: VerifyingKey,
    old: Vec<u8>,
    new: Vec<u8>,
    index: u64,
    leaf: Digest,
    inclusion: Vec<Digest>,
    consistency: Vec<Digest>,
}

impl Claim {
    fn honest() -> Self {
        let name = KeyName::new("audit.example/host-1").unwrap();
        let key = SigningKey::from_seed(name, KeyKind::Ed25519, &[7; 32]).unwrap();
        let note = |size| {
            let mut tree = Frontier::new();
            leaves().take(usize::try_from(size).unwrap()).for_each(|leaf| tree.push(leaf));
            let note = Checkpoint::new(key.name(), size, tree.root()).sign(&key).unwrap();
            note.to_string().into_bytes()
        };
        Self {
            old: note(OLD_SIZE),
            new: note(SIZE),
            index: INDEX,
            leaf: leaves().nth(usize::try_from(INDEX).unwrap()).unwrap(),
            inclusion: prove(Prover::inclusion(INDEX, SIZE).unwrap()),
            consistency: prove(Prover::consistency(OLD_SIZE, SIZE).unwrap()),
            key: key.verifying_key().clone(),
        }
    }

    fn json(&self) -> String {
        let encode = |bytes: &[u8]| format!("\"{}\"", STANDARD.encode(bytes));
        let hash = |digest: &Digest| encode(digest.as_bytes());
        let list = |hashes: &[Digest]| hashes.iter().map(hash).collect::<Vec<_>>().join(",");
        format!(
            "{{\"Key\":\"{}\",\"Old\":{},\"New\":{},\"Index\":{},\"Leaf\":{},\"Inclusion\":[{}],\
             \"Consistency\":[{}]}}\n",
            self.key,
            encode(&self.old),
            encode(&self.new),
            self.index,
            hash(&self.leaf),
            list(&self.inclusion),
            list(&self.consistency)
        )
    }

    /// What ours says of it.
    fn is_accepted(&self) -> bool {
        let keys = [self.key.clone()];
        let (Ok(old), Ok(new)) = (Note::parse(&self.old), Note::parse(&self.new)) else {
            return false;
        };
        let inclusion = InclusionProof::new(self.index, self.inclusion.clone(), new.clone());
        let Ok(old) = SignedCheckpoint::open(old, &keys) else { return false };
        let old_size = old.checkpoint().size();
        let consistency = ConsistencyProof::new(old_size, self.consistency.clone(), new);
        inclusion.unwrap().check(self.leaf, &keys).is_ok()
            && consistency.unwrap().check(&old, &keys).is_ok()
    }

    /// All claims that have one bit changed, but for the key.
    fn changed(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let mut keep = |change: &dyn Fn(&mut Self)| {
            let mut claim = self.clone();
            change(&mut claim);
            all.push(claim);
        };
        for bit in 0..self.old.len() * 8 {
            keep(&|claim| flip(&mut claim.old, bit));
        }
        for bit in 0..self.new.len() * 8 {
            keep(&|claim| flip(&mut claim.new, bit));
        }
        // Its numbers have a sign.
        for bit in 0..63 {
            keep(&|claim| claim.index ^= 1 << bit);
        }
        for bit in 0..256 {
            keep(&|claim| flip_digest(&mut claim.leaf, bit));
            for at in 0..self.inclusion.len() {
                keep(&|claim| flip_digest(claim.inclusion.get_mut(at).unwrap(), bit));
            }
            for at in 0..self.consistency.len() {
                keep(&|claim| flip_digest(claim.consistency.get_mut(at).unwrap(), bit));
            }
        }
        all
    }
}

fn leaves() -> impl Iterator<Item = Digest> {
    (0_u64..SIZE).map(|leaf| leaf_hash(&leaf.to_be_bytes()))
}

fn prove(mut prover: Prover) -> Vec<Digest> {
    leaves().for_each(|leaf| prover.push(leaf));
    prover.finish().unwrap()
}

fn flip(bytes: &mut [u8], bit: usize) {
    *bytes.get_mut(bit / 8).unwrap() ^= 1 << (bit % 8);
}

fn flip_digest(digest: &mut Digest, bit: usize) {
    let mut bytes = *digest.as_bytes();
    flip(&mut bytes, bit);
    *digest = Digest::from_bytes(bytes);
}

/// Builds the program; `None` where there is no Go or no golang.org/x/mod, and says so.
fn program() -> Option<PathBuf> {
    let is_go_there = Command::new("go").arg("version").output().is_ok();
    if !is_go_there || !Path::new(GOPATH).join("src/golang.org/x/mod/sumdb/note").exists() {
        println!("skipped: golang-go or golang-golang-x-mod-dev is not installed");
        return None;
    }
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = directory.join("check-with-go");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/go/main.go");
    let mut build = Command::new("go");
    build.arg("build").arg("-o").arg(&program).arg(source);
    build.env("GOPATH", GOPATH).env("GO111MODULE", "off").env("GOFLAGS", "");
    build.env("GOCACHE", directory.join("go-cache"));
    assert!(build.status().unwrap().success());
    Some(program)
}

/// The answer to each claim.
fn ask(program: &Path, claims: &[Claim]) -> Vec<String> {
    let mut command = Command::new(program);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: String = claims.iter().map(Claim::json).collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn go_accepts_ours_and_refuses_it_with_one_bit_changed() {
    let Some(program) = program() else { return };
    let honest = Claim::honest();
    assert!(honest.is_accepted());
    assert_eq!(ask(&program, std::slice::from_ref(&honest)), ["accepted"]);
    let changed = honest.changed();
    let answers = ask(&program, &changed);
    assert_eq!(answers.len(), changed.len());
    let mut padding = 0;
    for (claim, answer) in changed.iter().zip(&answers) {
        assert!(!claim.is_accepted(), "{answer}: {}", claim.json());
        if answer == "accepted" {
            // Go does not look at the bits that Base 64 leaves unused at the end of a signature;
            // RFC 4648 section 3.5 lets a decoder refuse them, and ours does.
            let is_last_digit = |note: &[u8], honest: &[u8]| {
                let end = honest.len() - 3;
                note != honest && note.get(..end) == honest.get(..end)
            };
            assert!(
                is_last_digit(&claim.old, &honest.old) || is_last_digit(&claim.new, &honest.new)
            );
            padding += 1;
        }
    }
    assert!(padding <= 4, "two bits in each of two notes, not {padding}");
}
