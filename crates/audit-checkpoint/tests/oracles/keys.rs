//! The text forms of keys.

use audit_checkpoint::{SigningKey, VerifyingKey};
use audit_testkit::dice::Dice;
use signed_note::{StandardSigner, StandardVerifier};

use crate::{Pair, ROUNDS, flip};

/// The text with one bit changed, if it still is one.
fn spoiled(dice: &mut Dice, text: &str) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    flip(dice, &mut bytes);
    String::from_utf8(bytes).ok()
}

/// Whether the two texts differ in the case of the key id alone, which stands in this part.
fn is_other_case_of_id(one: &str, other: &str, part: usize) -> bool {
    let id = |text: &str| text.split('+').nth(part).unwrap_or_default().to_owned();
    one.eq_ignore_ascii_case(other) && id(one) != id(other)
}

/// Both read each other's keys and refuse a changed one, but for a key id in upper case: "fixed
/// length lowercase Base 16" (c2sp.org/signed-note, "Conventions used in this document"), so ours
/// refuses what theirs takes.
#[test]
fn keys_of_ten_thousand_names() {
    let mut dice = Dice::new(1);
    let (mut refused, mut of_other_case) = (0, 0);
    for _ in 0..ROUNDS {
        // The pair is made by theirs reading the private key that ours has written.
        let pair = Pair::new(&format!("log.example/{}", dice.seed()), 1);
        let public = pair.ours.verifying_key().to_string();
        assert!(StandardVerifier::new(&public).is_ok(), "{public}");
        if let Some(text) = spoiled(&mut dice, &public) {
            assert!(text.parse::<VerifyingKey>().is_err(), "{text}");
            let is_other_case = is_other_case_of_id(&text, &public, 1);
            assert_eq!(StandardVerifier::new(&text).is_ok(), is_other_case, "{text}");
            refused += 1;
            of_other_case += u32::from(is_other_case);
        }
        let private = pair.ours.encode();
        if let Some(text) = spoiled(&mut dice, private.as_str()) {
            assert!(SigningKey::parse(&text).is_err(), "{text}");
            let is_other_case = is_other_case_of_id(&text, private.as_str(), 3);
            assert_eq!(StandardSigner::new(&text).is_ok(), is_other_case, "{text}");
        }
    }
    assert!(refused > 5_000 && of_other_case > 10, "{refused} {of_other_case}");
}
