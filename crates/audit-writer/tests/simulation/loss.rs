//! What crashes cost: how many records of those for which the call had returned.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use audit_core::FlushMode;
use serde_json::{Value, json};

use crate::run::{Accepted, Run};
use crate::workload::Weight;

/// Where the columns of the table begin, in records that were lost.
const COLUMNS: [usize; 5] = [0, 1, 10, 50, 100];

/// How many crashes cost how much, by flush mode.
#[derive(Clone, Debug, Default)]
pub(crate) struct LossTable {
    rows: BTreeMap<&'static str, Row>,
}

#[derive(Clone, Debug, Default)]
struct Row {
    crashes: [u64; COLUMNS.len()],
    most: usize,
    most_critical: usize,
    oldest: Duration,
}

/// What a mode may lose.
struct Window {
    name: &'static str,
    records: usize,
    age: Duration,
    critical: bool,
}

impl LossTable {
    /// Counts a crash at an operation of a run, after which the log ended with `head`.
    ///
    /// # Errors
    ///
    /// More is lost than the mode allows.
    pub(crate) fn count(
        &mut self,
        run: &Run,
        operation: u64,
        head: Option<u64>,
    ) -> Result<(), String> {
        let window = window(run.workload.flush);
        let (mut lost, mut critical, mut oldest) = (0, 0, Duration::ZERO);
        for (Accepted { weight, .. }, age) in run.lost_at(operation, head) {
            lost += 1;
            critical += usize::from(weight == Weight::Critical);
            oldest = oldest.max(age);
        }
        let row = self.rows.entry(window.name).or_default();
        let column = COLUMNS.iter().rposition(|&begin| begin <= lost).unwrap_or_default();
        row.crashes[column] += 1;
        row.most = row.most.max(lost);
        row.most_critical = row.most_critical.max(critical);
        // On a full disk accepted records wait for room, which no interval can promise.
        if !run.was_full {
            row.oldest = row.oldest.max(oldest);
            if oldest > window.age {
                return Err(format!("a record is lost that had waited {oldest:?}"));
            }
        }
        if lost > window.records || (critical > 0 && !window.critical) {
            return Err(format!("{lost} accepted records are lost, {critical} of them critical"));
        }
        Ok(())
    }

    /// The rows of the table, as JSON.
    pub(crate) fn rows(&self) -> Vec<Value> {
        let row = |(mode, row): (&&str, &Row)| {
            json!({
                "mode": mode, "lost_from": COLUMNS, "crashes": row.crashes, "most": row.most,
                "most_critical": row.most_critical, "oldest_seconds": row.oldest.as_secs_f64(),
            })
        };
        self.rows.iter().map(row).collect()
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (name, from) in &other.rows {
            let row = self.rows.entry(name).or_default();
            for (to, more) in row.crashes.iter_mut().zip(from.crashes) {
                *to += more;
            }
            row.most = row.most.max(from.most);
            row.most_critical = row.most_critical.max(from.most_critical);
            row.oldest = row.oldest.max(from.oldest);
        }
    }
}

/// The writer syncs when the count is reached, before the call returns: of the records for which
/// it has returned, one less can be lost.
fn window(flush: FlushMode) -> Window {
    let secs = |secs: u32| Duration::from_secs(u64::from(secs));
    let records = |count: u32| (count - 1) as usize;
    match flush {
        FlushMode::Immediate => {
            Window { name: "Immediate", records: 0, age: Duration::ZERO, critical: false }
        }
        FlushMode::Batched { size, interval_secs } => {
            let name = match size {
                u32::MAX => "Batched, no count and no interval",
                ..=10 => "Batched, 1 to 10",
                _ => "Batched, 100",
            };
            Window { name, records: records(size), age: secs(interval_secs), critical: true }
        }
        FlushMode::Hybrid { batch_size, batch_interval_secs, critical_immediate } => {
            let name = match (critical_immediate, batch_size) {
                (false, _) => "Hybrid, 1 to 10, critical ones too",
                (true, ..=10) => "Hybrid, 1 to 10",
                (true, _) => "Hybrid, 100",
            };
            let (records, age) = (records(batch_size), secs(batch_interval_secs));
            Window { name, records, age, critical: !critical_immediate }
        }
    }
}

/// The rows of a table in Markdown, with its heading.
impl fmt::Display for LossTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| mode | lost 0 | 1-9 | 10-49 | 50-99 | 100 or more | most | most critical | oldest |"
        )?;
        writeln!(f, "|---|---:|---:|---:|---:|---:|---:|---:|---:|")?;
        for (name, Row { crashes, most, most_critical, oldest }) in &self.rows {
            write!(f, "| {name} ")?;
            for crashes in crashes {
                write!(f, "| {crashes} ")?;
            }
            writeln!(f, "| {most} | {most_critical} | {:.1} s |", oldest.as_secs_f64())?;
        }
        Ok(())
    }
}
