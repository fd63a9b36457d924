//! Threads of one process that open the same directory: the lock is each opening's own.

use std::sync::Barrier;
use std::thread;

use audit_log::{AuditLogger, FlushMode, OpenError};
use audit_verify::Verdict;

use super::{PATIENCE, count_of, critical, opened, place, records, verified};

#[test]
fn of_threads_that_open_a_directory_at_once_exactly_one_has_it() {
    const THREADS: usize = 8;
    const ROUNDS: usize = 20;
    let (_parent, dir) = place();
    for round in 0..ROUNDS {
        let at_once = Barrier::new(THREADS);
        let open = || {
            at_once.wait();
            opened(&dir, FlushMode::default())
        };
        // Nobody lets go before everybody has tried.
        let outcomes: Vec<Result<AuditLogger, OpenError>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let (mut holders, mut refused) = (Vec::new(), 0);
        for outcome in outcomes {
            match outcome {
                Ok(log) => holders.push(log),
                Err(OpenError::Locked { .. }) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!((holders.len(), refused), (1, THREADS - 1), "round {round}");
        holders[0].emit(critical("token")).unwrap();
        holders[0].shutdown(PATIENCE).unwrap();
    }
    let report = verified(&dir, &[]);
    assert_eq!((report.verdict, report.notices_total), (Verdict::Consistent, 0), "{report}");
    let records = records(&dir);
    assert_eq!(count_of(&records, "log_opened"), ROUNDS);
    assert_eq!(count_of(&records, "invalid_token_used"), ROUNDS);
}
