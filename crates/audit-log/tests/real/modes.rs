//! The flush modes that processes are killed in, and what each may lose.

use audit_log::FlushMode;

/// A flush mode with its name in reports.
#[derive(Debug)]
pub(crate) struct Mode {
    pub(crate) name: &'static str,
    pub(crate) flush: FlushMode,
    /// Events for which the call may have returned and that a kill may take away.
    pub(crate) window: usize,
    pub(crate) promises: Promises,
}

/// What is durable when the call returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promises {
    Everything,
    Critical,
    Nothing,
}

const fn hybrid(name: &'static str, batch_size: u32, window: usize) -> Mode {
    let flush = FlushMode::Hybrid { batch_size, batch_interval_secs: 1, critical_immediate: true };
    Mode { name, flush, window, promises: Promises::Critical }
}

const fn batched(name: &'static str, size: u32, window: usize) -> Mode {
    let flush = FlushMode::Batched { size, interval_secs: 1 };
    Mode { name, flush, window, promises: Promises::Nothing }
}

pub(crate) static MODES: [Mode; 5] = [
    Mode {
        name: "Immediate",
        flush: FlushMode::Immediate,
        window: 0,
        promises: Promises::Everything,
    },
    hybrid("Hybrid, 10", 10, 10),
    hybrid("Hybrid, 100", 100, 100),
    batched("Batched, 10", 10, 10),
    batched("Batched, 100", 100, 100),
];

impl Mode {
    /// Whether the call for an event returns only when it is durable.
    pub(crate) fn promises(&self, is_critical: bool) -> bool {
        match self.promises {
            Promises::Everything => true,
            Promises::Critical => is_critical,
            Promises::Nothing => false,
        }
    }
}
