//! What a log says of its own checkpoints.

use std::collections::BTreeMap;

/// Most keys of which it is kept which checkpoints they made: more than any log has.
const KEYS_MAX: usize = 64;

/// Length of the id of a key in hex.
const KEY_ID_CHARS: usize = 8;

/// What the log says of its checkpoints.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded {
    /// The size of the newest by each key, by its id; where there is no such id or too many of
    /// them, by none.
    pub(super) newest: BTreeMap<Option<String>, u64>,
    /// Those of which it cannot be told whether it is so.
    pub(crate) uncompared: u64,
}

impl Recorded {
    /// Takes note that a checkpoint of this size was made by the key of this id.
    pub(crate) fn add(&mut self, size: u64, key_id: &str) {
        let id = Some(key_id.to_owned()).filter(|id| id.len() == KEY_ID_CHARS);
        let is_room = self.newest.len() < KEYS_MAX || self.newest.contains_key(&id);
        let newest = self.newest.entry(id.filter(|_| is_room)).or_default();
        *newest = size.max(*newest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_each_key_is_kept_and_of_bounded_many_keys() {
        let mut recorded = Recorded::default();
        for (size, id) in [(5, "0c20ca15"), (3, "0c20ca15"), (9, "a long id of a key")] {
            recorded.add(size, id);
        }
        let id = Some("0c20ca15".to_owned());
        assert_eq!(recorded.newest, BTreeMap::from([(id.clone(), 5), (None, 9)]));
        (0..1_000).for_each(|number| recorded.add(number, &format!("{number:08}")));
        recorded.add(2_000, "0c20ca15");
        assert_eq!((recorded.newest.len(), recorded.newest[&id]), (64, 2_000));
        assert_eq!(recorded.newest[&None], 999);
    }
}
