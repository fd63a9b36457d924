//! What a cut leaves of names.

use std::collections::BTreeMap;

use crate::dice::Dice;

/// Which file has which name.
pub(super) type Names = BTreeMap<String, u64>;

/// A change of the directory that no sync has covered.
#[derive(Clone, Debug)]
pub(super) enum NameChange {
    Created { name: String, inode: u64 },
    Renamed { from: String, to: String, inode: u64 },
    Removed { name: String },
}

/// The names that are found after a cut: of the changes, any, each by itself. A rename can be half
/// done: both names are there, or neither.
pub(super) fn after_cut(
    durable: &Names,
    changes: &[NameChange],
    kept_in_eight: u64,
    dice: &mut Dice,
) -> Names {
    let mut names = durable.clone();
    for change in changes {
        let mut is_kept = || dice.between(1, 8) <= kept_in_eight;
        match change {
            NameChange::Created { name, inode } => {
                if is_kept() {
                    names.insert(name.clone(), *inode);
                }
            }
            NameChange::Removed { name } => {
                if is_kept() {
                    names.remove(name);
                }
            }
            NameChange::Renamed { from, to, inode } => {
                if is_kept() && names.get(from) == Some(inode) {
                    names.remove(from);
                }
                if is_kept() {
                    names.insert(to.clone(), *inode);
                }
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_rename_can_be_half_done() {
        let durable = Names::from([("old".to_owned(), 1)]);
        let rename = NameChange::Renamed { from: "old".to_owned(), to: "new".to_owned(), inode: 1 };
        let mut dice = Dice::new(1);
        let found: BTreeSet<String> = (0..200)
            .map(|_| after_cut(&durable, std::slice::from_ref(&rename), 4, &mut dice))
            .map(|names| names.into_keys().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(found, ["", "new", "new old", "old"].map(str::to_owned).into());
    }
}
