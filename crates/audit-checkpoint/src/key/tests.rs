//! Texts that are keys, and many that look like one.

use super::*;
use crate::encoding::base64;
use crate::sample;

/// The example of c2sp.org/signed-note, "Verifier keys".
const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

/// The example of golang.org/x/mod/sumdb/note.
const SKEY: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

/// The text of a key with these bytes, whose id fits.
fn vkey(typed: &[u8]) -> String {
    let digest = audit_core::Digest::of(&[b"n\n", typed].concat());
    let id: String = digest.to_string().chars().take(8).collect();
    format!("n+{id}+{}", base64(typed))
}

#[test]
fn keys_of_other_implementations_are_read_and_written_as_they_are() {
    let key: VerifyingKey = VKEY.parse().unwrap();
    assert_eq!((key.name().as_str(), key.kind()), ("example.com/foo", KeyKind::Ed25519));
    assert_eq!(key.id().as_bytes(), &[0x53, 0x0d, 0x90, 0x3a]);
    assert_eq!(key.to_string(), VKEY);
    let key = SigningKey::parse(SKEY).unwrap();
    assert_eq!(key.encode().as_str(), SKEY);
    assert_eq!(
        key.verifying_key().to_string(),
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    );
}

#[test]
fn both_kinds_survive_their_text() {
    for key in [sample::log_key(), sample::witness_key()] {
        let again = SigningKey::parse(key.encode().as_str()).unwrap();
        assert_eq!(again.verifying_key(), key.verifying_key());
        assert_eq!(again.sign(b"x"), key.sign(b"x"));
        assert_eq!(key.verifying_key().to_string().parse(), Ok(key.verifying_key().clone()));
    }
}

#[test]
fn one_seed_under_two_kinds_is_two_ids() {
    let log = sample::key("n", KeyKind::Ed25519, 9);
    let witness = sample::key("n", KeyKind::Cosignature, 9);
    assert_eq!(log.verifying_key().public_bytes(), witness.verifying_key().public_bytes());
    assert_ne!(log.id(), witness.id());
}

#[test]
fn names_hold_no_space_no_plus_and_nothing_that_a_note_may_not() {
    for good in ["a", "audit.example/host-1", "\u{e9}", "\u{202e}", "\u{7f}"] {
        assert_eq!(KeyName::new(good).unwrap().as_str(), good);
    }
    for bad in ["", " ", "a b", "a+b", "a\n", "\t", "\u{85}", "a\u{a0}", "\u{2028}", "\u{1}", "\0"]
    {
        assert_eq!(KeyName::new(bad), Err(KeyError::Name), "{bad:?}");
    }
}

#[test]
fn other_texts_are_no_public_keys() {
    let [name, id, rest] = ["example.com/foo", "530d903a", &VKEY[25..]];
    let malformed = [
        String::new(),
        name.to_owned(),
        format!("{name}+{id}"),
        format!("{name}+{id}+"),
        format!("{name}+530D903A+{rest}"),
        format!("{name}+30d903a+{rest}"),
        format!("{name}++30d903a+{rest}"),
        format!("{name}+0530d903a+{rest}"),
        format!("{name}+{id}+{rest}="),
        format!("{name}+{id}+{rest}\n"),
        format!("{name}+{id}+{}", &rest[..40]),
        format!("{name}+{id}+Ae==+{rest}"),
        vkey(&[1; 32]),
        vkey(&[1; 34]),
    ];
    for text in malformed {
        assert_eq!(text.parse::<VerifyingKey>(), Err(KeyError::Malformed), "{text:?}");
    }
    assert_eq!(format!("a b+{id}+{rest}").parse::<VerifyingKey>(), Err(KeyError::Name));
    assert_eq!(format!("+{id}+{rest}").parse::<VerifyingKey>(), Err(KeyError::Name));
    assert_eq!(SKEY.parse::<VerifyingKey>(), Err(KeyError::Malformed));
}

#[test]
fn a_key_id_that_does_not_fit_is_refused() {
    let other = VKEY.replace("530d903a", "530d903b");
    assert!(matches!(other.parse::<VerifyingKey>(), Err(KeyError::IdMismatch { .. })));
    let other = VKEY.replace("foo", "bar");
    assert!(matches!(other.parse::<VerifyingKey>(), Err(KeyError::IdMismatch { .. })));
    let other = SKEY.replace("c74f20a3", "c74f20a4");
    assert!(matches!(SigningKey::parse(&other), Err(KeyError::IdMismatch { .. })));
}

#[test]
fn unknown_and_reserved_types_are_refused() {
    for kind in (0_u8..=255).filter(|kind| ![1, 4].contains(kind)) {
        let text = vkey(&[&[kind], [7; 32].as_slice()].concat());
        assert_eq!(text.parse::<VerifyingKey>(), Err(KeyError::UnknownType(kind)));
        let text = format!("PRIVATE+KEY+n+00000000+{}", base64(&[kind; 33]));
        assert!(matches!(SigningKey::parse(&text), Err(KeyError::UnknownType(k)) if k == kind));
    }
}

/// Little-endian y coordinates, RFC 8032 section 5.1.2: the points of order 1, 2, 4 and 8, then
/// what is not reduced below 2^255 - 19, then no point at all.
#[test]
fn points_of_small_order_and_points_written_otherwise_are_refused() {
    let hex = |digits: &str| *audit_core::Digest::from_hex(digits.as_bytes()).unwrap().as_bytes();
    for digits in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0200000000000000000000000000000000000000000000000000000000000000",
    ] {
        let text = vkey(&[&[1], hex(digits).as_slice()].concat());
        assert_eq!(text.parse::<VerifyingKey>(), Err(KeyError::Point), "{digits}");
    }
    // y = p + 3 is y = 3 written otherwise; 3 itself is a point of the curve, and of large order.
    let reduced = hex("0300000000000000000000000000000000000000000000000000000000000000");
    assert!(vkey(&[&[1], reduced.as_slice()].concat()).parse::<VerifyingKey>().is_ok());
    let other = hex("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
    let text = vkey(&[&[1], other.as_slice()].concat());
    assert_eq!(text.parse::<VerifyingKey>(), Err(KeyError::Point));
}

/// The first test of RFC 8032 section 7.1, and two signatures that fit its key by arithmetic alone.
#[test]
fn a_signature_is_of_its_signer_and_has_one_form() {
    let bytes = |digits: &str| *audit_core::Digest::from_hex(digits.as_bytes()).unwrap().as_bytes();
    let public = bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let key: VerifyingKey = vkey(&[&[1], public.as_slice()].concat()).parse().unwrap();
    let point = bytes("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155");
    let scalar = bytes("5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
    assert!(key.verifies(b"", &[point, scalar].concat()));
    // The scalar is not below the order of the group: "0 <= s < L", section 5.1.7.
    let added = bytes("4c8c7872aa064e049dbb3013fbf29380d25bf5f0595bbe24655141438e7a101b");
    assert!(!key.verifies(b"", &[point, added].concat()));
    // The point is the neutral one, which is of order 1.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let scalar = bytes("520a2e25b0f11547a9ae2ad848ed7731c77f99f1a8712d363455d344db33ac04");
    assert!(!key.verifies(b"message", &[neutral, scalar].concat()));
    assert!(!key.verifies(b"", &point));
}

#[test]
fn other_texts_are_no_private_keys() {
    let (head, seed) = SKEY.split_at(SKEY.len() - 44);
    for text in [
        String::new(),
        VKEY.to_owned(),
        SKEY.replace("PRIVATE", "private"),
        format!("{head}{}", &seed[..40]),
        format!("{head}{seed}{seed}"),
        format!("{head}{seed} "),
        head.to_owned(),
    ] {
        assert!(matches!(SigningKey::parse(&text), Err(KeyError::Malformed)), "{text:?}");
    }
}

#[test]
fn a_seed_is_in_no_debug_output() {
    let key = SigningKey::parse(SKEY).unwrap();
    let shown = format!("{key:?} {:?}", key.encode());
    assert!(shown.contains("PeterNeumann+c74f20a3"), "{shown}");
    for secret in [&SKEY[34..], "129, 10, 20", "810a14"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
