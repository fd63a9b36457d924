//! Names of a directory of which a report lists only a few.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

use super::ledger::LISTED_MAX;
use crate::broken::{self, Broken};

/// The first names of many, in their own order, and how many there are: what is listed does not
/// depend on the order in which a directory shows them, and memory not on their number.
#[derive(Debug, Default)]
pub(crate) struct FirstNames {
    first: BTreeSet<OsString>,
    total: u64,
}

impl FirstNames {
    pub(crate) fn add(&mut self, name: &OsStr) {
        self.total = self.total.saturating_add(1);
        let is_full = self.first.len() >= LISTED_MAX;
        if is_full && broken::is(Broken::ListedAsShown) {
            return;
        }
        if is_full && self.first.last().is_some_and(|last| last.as_os_str() < name) {
            return;
        }
        self.first.insert(name.to_owned());
        if self.first.len() > LISTED_MAX {
            self.first.pop_last();
        }
    }

    /// Shows the first ones, as text; how many more there are.
    pub(crate) fn show(self, visit: &mut dyn FnMut(&str)) -> u64 {
        self.first.iter().for_each(|name| visit(&name.to_string_lossy()));
        let shown = u64::try_from(self.first.len()).unwrap_or(u64::MAX);
        self.total.saturating_sub(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_names_are_shown_in_whatever_order_they_come() {
        let names: Vec<_> =
            (0..1_000).map(|number| OsString::from(format!("{number:04}"))).collect();
        let shown = |names: &mut dyn Iterator<Item = &OsString>| {
            let mut first = FirstNames::default();
            names.for_each(|name| first.add(name));
            let mut shown = Vec::new();
            let more = first.show(&mut |name| shown.push(name.to_owned()));
            (shown, more)
        };
        let (forward, more) = shown(&mut names.iter());
        assert_eq!((forward.len(), more), (20, 980));
        assert_eq!(forward.last().unwrap(), "0019");
        assert_eq!(shown(&mut names.iter().rev()), (forward, more));
    }
}
