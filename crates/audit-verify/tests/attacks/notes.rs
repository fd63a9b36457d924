//! Checkpoints edited, forged, exchanged, shown again, taken away.

use audit_checkpoint::KeyName;
use audit_core::Digest;
use audit_testkit::dice::Dice;
use audit_verify::Verdict;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::builder::{Builder, Files};
use crate::bytes::{cut_off, flip_bit, put_byte_in, random_byte, set_byte, take_byte_out};
use crate::family::{Choices, DRAWN, Family, Level, Mutant, product};
use crate::honest::Honest;
use crate::oracle::notes;
use crate::player::Signer;
use crate::signed::{ORIGIN, key, note_path, public};

pub(crate) const FAMILIES: [Family; 11] = [
    Family {
        name: "newest checkpoint, bit flipped",
        level: Level::Key,
        places: |honest| product(&[newest(honest).len(), 8]),
        mutant: |honest, place| {
            edit(honest, 0, place, |bytes, at, choices| flip_bit(bytes, at, choices))
        },
    },
    Family {
        name: "newest checkpoint, byte set to each value",
        level: Level::Key,
        places: |honest| product(&[newest(honest).len(), 255]),
        mutant: |honest, place| {
            edit(honest, 0, place, |bytes, at, choices| set_byte(bytes, at, choices))
        },
    },
    Family {
        name: "newest checkpoint, byte put in",
        level: Level::Key,
        places: |honest| match newest(honest).len() {
            0 => 0,
            length => product(&[length + 1, 256]),
        },
        mutant: |honest, place| edit(honest, 1, place, put_byte_in),
    },
    Family {
        name: "newest checkpoint, byte taken out",
        level: Level::Key,
        places: |honest| product(&[newest(honest).len()]),
        mutant: |honest, place| edit(honest, 0, place, take_byte_out),
    },
    Family {
        name: "newest checkpoint torn at a byte",
        level: Level::Chain,
        places: |honest| product(&[newest(honest).len()]),
        mutant: |honest, place| {
            let mutant = edit(honest, 0, place, cut_off)?;
            Some(Mutant { least: Verdict::Tampered, ..mutant })
        },
    },
    Family {
        name: "newest checkpoint taken away, and any others",
        level: Level::Key,
        places: |honest| match notes(honest).count() {
            0 => 0,
            count => 1 << (count - 1),
        },
        mutant: |honest, place| {
            let mut files = honest.files.clone();
            let all = notes(honest).rev().enumerate();
            for (number, (name, _)) in all {
                if number == 0 || place >> (number - 1) & 1 == 1 {
                    files.remove(name);
                }
            }
            Some(Mutant { files, least: Verdict::Unverifiable })
        },
    },
    Family {
        name: "checkpoint shown under the name of another size",
        level: Level::Chain,
        places: |honest| product(&[notes(honest).count(), 64]),
        mutant: |honest, place| {
            let mut choices = Choices(place);
            let (name, note) = notes(honest).nth(choices.of(notes(honest).count()))?;
            let path = note_path(choices.of(64) as u64);
            let mut files = honest.files.clone();
            files.insert(path.clone(), note.clone());
            (path != *name).then_some(Mutant { files, least: Verdict::Tampered })
        },
    },
    Family {
        name: "any checkpoints of another log in their place, by another key or the same",
        level: Level::Chain,
        places: |honest| product(&[usize::from(honest.is_signed()) << notes(honest).count(), 2]),
        mutant: |honest, place| {
            let mut choices = Choices(place);
            let exchanged = choices.of(1 << notes(honest).count());
            let signer = [Signer::Owner, Signer::Another][choices.of(2)];
            let other = honest.rewritten(0, signer)?.files;
            let mut files = honest.files.clone();
            for (number, (name, _)) in notes(honest).enumerate() {
                if exchanged >> number & 1 == 1 {
                    files.insert(name.clone(), other[name].clone());
                }
            }
            (exchanged != 0).then_some(Mutant { files, least: Verdict::Tampered })
        },
    },
    Family {
        name: "checkpoints signed again, by other keys",
        level: Level::Chain,
        places: |honest| product(&[newest(honest).len().min(200)]),
        mutant: |honest, place| {
            let mut files = honest.files.clone();
            let signer = key(u8::try_from(place).unwrap() + 20);
            for (name, note) in notes(honest) {
                let parsed = audit_checkpoint::Note::parse(note).unwrap();
                let mut again = audit_checkpoint::Note::new(parsed.text()).unwrap();
                again.sign(&signer).unwrap();
                files.insert(name.clone(), again.to_string().into_bytes());
            }
            Some(Mutant { files, least: Verdict::Truncated })
        },
    },
    Family {
        name: "signature said to be by another algorithm, unknown or downgraded",
        level: Level::Key,
        places: |honest| if honest.is_signed() { 255 * 65 } else { 0 },
        mutant: |honest, place| {
            let mut choices = Choices(place);
            let (kind, length) = (choices.of(255), choices.of(65));
            let kind = u8::try_from(if kind < 1 { kind } else { kind + 1 }).unwrap();
            let signer = signer_of_newest(honest);
            let id = key_id(kind, &public_key(signer));
            resigned(honest, id, |signature| signature.truncate(length))
        },
    },
    Family {
        name: "signature forged under the id of the key",
        level: Level::Key,
        places: |honest| if honest.is_signed() { DRAWN } else { 0 },
        mutant: |honest, place| {
            let mut dice = Dice::new(place);
            let id = key_id(1, &public_key(signer_of_newest(honest)));
            let mutant = resigned(honest, id, |signature| forge(honest, signature, &mut dice))?;
            Some(Mutant { least: Verdict::Tampered, ..mutant })
        },
    },
];

/// Keys under which anybody can sign anything, where they are taken.
pub(crate) const SMALL_ORDER: [Family; 1] = [Family {
    name: "key changed to one of small order, under which anybody can sign",
    level: Level::Key,
    places: |honest| {
        // It makes a log of its own.
        let is_once = honest.name == "signed";
        product(&[usize::from(is_once), POINTS.len(), POINTS.len(), 2])
    },
    mutant: |_, place| {
        let mut choices = Choices(place);
        let (point, r) = (choices.of(POINTS.len()), choices.of(POINTS.len()));
        Some(small_order(POINTS[point], POINTS[r], choices.of(2) == 0))
    },
}];

fn newest(honest: &Honest) -> &[u8] {
    notes(honest).next_back().map_or(&[], |(_, note)| note)
}

fn edit(
    honest: &Honest,
    more: usize,
    place: u64,
    act: impl Fn(&mut Vec<u8>, usize, &mut Choices),
) -> Option<Mutant> {
    let mut choices = Choices(place);
    let (name, note) = notes(honest).next_back()?;
    let mut files = honest.files.clone();
    let at = choices.of(note.len() + more);
    act(files.get_mut(name)?, at, &mut choices);
    Some(Mutant { files, least: Verdict::Unverifiable })
}

/// The number of the key that signed the closing checkpoint.
fn signer_of_newest(honest: &Honest) -> u8 {
    if honest.changes_its_key() { 2 } else { 1 }
}

fn public_key(number: u8) -> [u8; 32] {
    let vkey = public(&key(number)).to_string();
    let encoded = vkey.splitn(3, '+').nth(2).unwrap();
    STANDARD.decode(encoded).unwrap()[1..].try_into().unwrap()
}

/// c2sp.org/signed-note, "Signatures".
fn key_id(kind: u8, public: &[u8; 32]) -> [u8; 4] {
    let digest = Digest::of(&[ORIGIN.as_bytes(), b"\n", &[kind], public].concat());
    digest.as_bytes()[..4].try_into().unwrap()
}

fn signature_line(id: [u8; 4], signature: &[u8]) -> String {
    let origin = KeyName::new(ORIGIN).unwrap();
    format!("\u{2014} {origin} {}\n", STANDARD.encode([&id[..], signature].concat()))
}

/// The newest checkpoint with its signature changed, under this id; `None` where it stays the same.
fn resigned(honest: &Honest, id: [u8; 4], act: impl FnOnce(&mut Vec<u8>)) -> Option<Mutant> {
    let (name, note) = notes(honest).next_back()?;
    let parsed = audit_checkpoint::Note::parse(note).unwrap();
    let mut signature = parsed.signatures()[0].bytes().to_vec();
    act(&mut signature);
    let forged = format!("{}\n{}", parsed.text(), signature_line(id, &signature));
    let mut files = honest.files.clone();
    let before = files.insert(name.clone(), forged.clone().into_bytes());
    let is_changed = before != Some(forged.into_bytes());
    is_changed.then_some(Mutant { files, least: Verdict::Unverifiable })
}

/// The order of the group, little-endian: a signature to whose second half it is added is another
/// text for the same one, where a verifier is not strict.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn forge(honest: &Honest, signature: &mut [u8], dice: &mut Dice) {
    match dice.index(5) {
        0 => signature.iter_mut().for_each(|byte| *byte = random_byte(dice)),
        1 => {
            let mut carry = 0;
            for (byte, more) in signature[32..].iter_mut().zip(ORDER) {
                let sum = u16::from(*byte) + u16::from(more) + carry;
                (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
            }
        }
        2 => {
            signature[..32].copy_from_slice(&POINTS[dice.index(POINTS.len())]);
            signature[32..].fill(0);
        }
        3 => {
            let (_, older) = notes(honest).next().unwrap();
            let older = audit_checkpoint::Note::parse(older).unwrap();
            signature.copy_from_slice(older.signatures()[0].bytes());
        }
        _ => {
            let at = dice.index(64);
            signature[at] ^= 1 << dice.index(8);
        }
    }
}

/// The points of small order of edwards25519, those written in more than one way too.
const POINTS: [[u8; 32]; 8] = [
    ends(1, 0, 0),
    ends(1, 0, 0x80),
    ends(0, 0, 0),
    ends(0, 0, 0x80),
    ends(0xec, 0xff, 0x7f),
    ends(0xed, 0xff, 0x7f),
    ends(0xee, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
];

const fn ends(first: u8, between: u8, last: u8) -> [u8; 32] {
    let mut bytes = [between; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

/// A log that goes on with a key of small order, whoever has the old one or not, and ends with a
/// checkpoint under it.
fn small_order(point: [u8; 32], r: [u8; 32], old_key_is_had: bool) -> Mutant {
    let mut log = Builder::new();
    log.event();
    log.sign_and_record(&key(1));
    let signature = [&r[..], &[0; 32]].concat();
    let id = key_id(1, &point);
    let hex = format!("{:08x}", u32::from_be_bytes(id));
    let encoded = STANDARD.encode([&[1], &point[..]].concat());
    let (old, new) = (public(&key(1)).to_string(), format!("{ORIGIN}+{hex}+{encoded}"));
    let text = format!("audit key change v1\n{}\n{}\n{old}\n{new}\n", log.log_id, log.seq);
    let by_old =
        if old_key_is_had { key(1).sign(text.as_bytes()).to_vec() } else { signature.clone() };
    let (by_old, by_new) = (STANDARD.encode(by_old), STANDARD.encode(&signature));
    log.record(&format!(
        r#"{{"event_type":"key_changed","old_vkey":"{old}","new_vkey":"{new}","old_signature":"{by_old}","new_signature":"{by_new}"}}"#
    ));
    log.event();
    log.close();
    let root = STANDARD.encode(log.frontier.root().as_bytes());
    let note = format!("{ORIGIN}\n{}\n{root}\n\n{}", log.seq, signature_line(id, &signature));
    log.files.insert(note_path(log.seq), note.into_bytes());
    Mutant { files: log.files, least: Verdict::Unverifiable }
}

/// What is done to a checkpoint that is not the newest: it may be thinned out, so it is found, or it
/// counts for nothing.
pub(crate) fn older_edited(honest: &Honest) -> impl Iterator<Item = Files> {
    let older: Vec<_> =
        notes(honest).rev().skip(1).map(|(name, note)| (name.clone(), note.clone())).collect();
    let places = older
        .into_iter()
        .flat_map(|(name, note)| (0..note.len() * 8).map(move |place| (name.clone(), place)));
    places.map(|(name, place)| {
        let mut files = honest.files.clone();
        files.get_mut(&name).unwrap()[place / 8] ^= 1 << (place % 8);
        files
    })
}
