//! The families of attacks, as docs/attacks.md lists them.

use crate::hunt::Family;
use crate::{bytes, combined, forms, history, lines, notes, segments};

macro_rules! families {
    ($($name:literal: $ways:path, $attack:path;)*) => {
        pub(crate) static FAMILIES: &[Family] =
            &[$(Family { name: $name, ways: $ways, attack: $attack }),*];
    };
}

families! {
    "a bit flipped": bytes::bits, bytes::flip_bit;
    "a byte changed to any other": bytes::values, bytes::change_byte;
    "a byte put in": bytes::insertions, bytes::insert_byte;
    "bytes taken out": bytes::deletions, bytes::delete_bytes;
    "a segment cut off": bytes::bytes, bytes::cut;
    "a segment padded, or with other line ends": bytes::paddings, bytes::pad;
    "a run of lines deleted": lines::pairs, lines::delete_run;
    "a line repeated": lines::repetitions, lines::repeat;
    "a line moved": lines::pairs, lines::move_line;
    "two lines exchanged": lines::pairs, lines::exchange;
    "a line forged": lines::forgeries, lines::forge;
    "JSON written in another form": forms::ways, forms::write_anew;
    "another version": forms::versions, forms::change_version;
    "segments deleted": segments::subsets, segments::delete;
    "a segment renamed": segments::names, segments::rename;
    "segments exchanged": segments::pairs, segments::exchange;
    "a segment copied or re-dated": segments::copies, segments::copy;
    "logs spliced": segments::splices, segments::splice;
    "rewritten from a record on": history::records, history::rewrite_from;
    "rewritten from the beginning": history::beginnings, history::rewrite_all;
    "rolled back": history::rollbacks, history::roll_back;
    "forked, or cut off with an account of it": history::futures, history::fork;
    "a false recovery": history::false_recoveries, history::recover_falsely;
    "a false pruning": history::false_prunings, history::prune_falsely;
    "another host's directory": history::hosts, history::exchange_hosts;
    "a checkpoint edited": notes::edits, notes::edit;
    "a checkpoint replayed": notes::pairs, notes::replay;
    "checkpoints stripped": notes::subsets, notes::strip;
    "checkpoints of another log": notes::others, notes::exchange;
    "a checkpoint signed otherwise": notes::signatures, notes::sign_otherwise;
    "several at once": combined::ways, combined::change_much;
}
