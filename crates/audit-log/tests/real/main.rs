//! The real thing: processes that are killed, at random and at each system call of a short life, and
//! file systems that forget, fill up or fail. Whatever was acknowledged is in the log, and the log is
//! never taken for tampered.
//!
//! What is drawn comes from a seed; when a kill hits, and which thread is first, is still the
//! machine's. The same code runs for hours as `cargo xtask soak kill`, `forgetful` and `cut`.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests, small numbers, and a test says why it was skipped"
)]

mod adverse;
mod cuts;
mod emitter;
mod forgetful;
mod full;
mod kills;
mod life;
mod log;
mod losses;
mod modes;
mod points;
mod soak;
mod thin;

use audit_testkit::loopback::FileSystem;

use full::{Disk, End, Neighbour};

/// Where the seeds of a normal run begin.
const SEED: u64 = 1;

#[test]
fn a_process_that_is_killed_at_any_time_has_lost_nothing_that_it_acknowledged() {
    let found = kills::campaign(SEED, 100, &kills::FEW);
    assert!(found.killed >= 50, "most processes were done before they were killed: {found}");
    println!("{found}");
}

#[test]
fn a_process_that_is_killed_at_a_system_call_has_lost_nothing_that_it_acknowledged() {
    if points::can_trace() {
        points::kill_at_each();
    }
}

#[test]
fn a_file_system_that_forgets_what_was_not_synced_has_kept_all_that_was_acknowledged() {
    if forgetful::can_mount() {
        let found = forgetful::campaign(SEED, 1_000);
        assert!(found.killed >= 500, "most logs were done before the power was cut: {found}");
        println!("{found}");
    }
}

#[test]
fn ext4_after_a_power_cut_has_all_that_was_acknowledged_before() {
    if cuts::can_mount(FileSystem::Ext4) {
        cut(FileSystem::Ext4, 20);
    }
}

#[test]
fn xfs_after_a_power_cut_has_all_that_was_acknowledged_before() {
    if cuts::can_mount(FileSystem::Xfs) {
        cut(FileSystem::Xfs, 5);
    }
}

fn cut(kind: FileSystem, count: u64) {
    let (found, around) = cuts::campaign(kind, SEED, count);
    assert!(found.killed * 2 >= count, "most were done before the power was cut: {found}");
    assert!(around.openings > count && around.segments > count * 2, "{around:?}");
    println!("{around}; {found}");
}

#[test]
fn a_disk_that_is_full_has_the_last_critical_events_and_every_other_one_is_counted() {
    for disk in Disk::all() {
        for neighbour in [Neighbour::Quiet, Neighbour::Greedy] {
            full::fill_up(&disk, neighbour, End::SpaceReturns);
            full::fill_up(&disk, neighbour, End::StaysFull);
        }
    }
}

#[test]
fn a_sync_that_the_kernel_fails_is_the_last_and_the_log_goes_on_after_what_the_disk_has() {
    thin::fail_in_each_mode();
}

#[test]
fn a_disk_without_another_inode_goes_on_in_the_segment_that_it_has() {
    full::run_out_of_inodes();
}

#[test]
fn a_process_without_another_descriptor_waits_with_the_next_segment_and_says_why() {
    full::run_out_of_descriptors();
}
