//! The texts of checkpoints.

use audit_checkpoint::{Checkpoint, KeyName, Note};
use audit_core::Digest;
use audit_testkit::dice::Dice;

use crate::{ROUNDS, flip};

/// What a checkpoint says: origin, size, root, and the lines behind them.
type Said = (String, u64, [u8; 32], String);

fn by_ours(bytes: &[u8]) -> Option<Said> {
    let text = std::str::from_utf8(bytes).ok()?;
    let checkpoint: Checkpoint = text.parse().ok()?;
    assert_eq!(checkpoint.to_string(), text);
    let extensions = checkpoint.extensions().flat_map(|line| [line, "\n"]).collect();
    let origin = checkpoint.origin().to_owned();
    Some((origin, checkpoint.size(), *checkpoint.root().as_bytes(), extensions))
}

fn by_theirs(bytes: &[u8]) -> Option<Said> {
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(bytes).ok()?;
    let (origin, extensions) = (checkpoint.origin().to_owned(), checkpoint.extension().to_owned());
    Some((origin, checkpoint.size(), checkpoint.hash().0, extensions))
}

/// The text of a checkpoint, some with extension lines.
fn text(dice: &mut Dice) -> String {
    let origin = ["log.example/one", "a", "Go sum database tree", "\u{e9}"][dice.index(4)];
    let size = dice.seed() >> dice.between(0, 63);
    let root = Digest::of(&dice.seed().to_be_bytes());
    let theirs = tlog_tiles::Hash(*root.as_bytes());
    let extensions = ["", "one\n", "one\n two \n", "\u{2014} x AAAAAAA=\n"][dice.index(4)];
    let made = tlog_tiles::Checkpoint::new(origin, size, theirs, extensions).unwrap().to_bytes();
    if let (Ok(name), "") = (KeyName::new(origin), extensions) {
        assert_eq!(Checkpoint::new(&name, size, root).to_string().as_bytes(), made);
    }
    String::from_utf8(made).unwrap()
}

/// Theirs is given the text alone and takes any character in it. Ours refuses "ASCII control
/// characters (those below U+0020) other than newline" (c2sp.org/signed-note, "Format"), since no
/// note has such a text.
fn has_control(bytes: &[u8]) -> bool {
    bytes.iter().any(|&byte| byte < 0x20 && byte != b'\n')
}

#[test]
fn ten_thousand_checkpoints_and_as_many_changed_ones() {
    let mut dice = Dice::new(1);
    let (mut taken, mut refused, mut with_control) = (0, 0, 0);
    for _ in 0..ROUNDS {
        let mut bytes = text(&mut dice).into_bytes();
        let whole = by_ours(&bytes);
        assert!(whole.is_some());
        assert_eq!(whole, by_theirs(&bytes), "{bytes:?}");
        // A text that is a checkpoint is the text of a note, too.
        assert!(Note::new(String::from_utf8(bytes.clone()).unwrap()).is_ok());
        flip(&mut dice, &mut bytes);
        let changed = by_ours(&bytes);
        if has_control(&bytes) {
            assert_eq!(changed, None, "{bytes:?}");
            with_control += u32::from(by_theirs(&bytes).is_some());
            continue;
        }
        assert_eq!(changed, by_theirs(&bytes), "{bytes:?}");
        if changed.is_some() { taken += 1 } else { refused += 1 }
    }
    assert!(
        taken > 1_000 && refused > 1_000 && with_control > 50,
        "{taken} {refused} {with_control}"
    );
}
