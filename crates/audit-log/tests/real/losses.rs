//! What kills cost: how many events of those for which the call had returned.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use crate::life::Life;
use crate::log::Left;
use crate::modes::Mode;

/// Lives and their ends, by flush mode.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) lives: u64,
    /// Those that were killed before they were done.
    pub(crate) killed: u64,
    rows: BTreeMap<&'static str, Row>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Row {
    killed: u64,
    torn: u64,
    durable: u64,
    /// Kills that took accepted events away.
    with_loss: u64,
    lost_most: usize,
}

impl Found {
    pub(crate) fn count(&mut self, mode: &Mode, life: &Life, left: Left) {
        let row = self.rows.entry(mode.name).or_default();
        self.lives += 1;
        self.killed += u64::from(life.was_killed);
        row.killed += u64::from(life.was_killed);
        row.torn += u64::from(left.is_torn);
        row.durable += life.durable.len() as u64;
        row.with_loss += u64::from(left.lost > 0);
        row.lost_most = row.lost_most.max(left.lost);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.lives += other.lives;
        self.killed += other.killed;
        for (name, from) in &other.rows {
            let row = self.rows.entry(name).or_default();
            row.killed += from.killed;
            row.torn += from.torn;
            row.durable += from.durable;
            row.with_loss += from.with_loss;
            row.lost_most = row.lost_most.max(from.lost_most);
        }
    }

    /// The rows of the table, as JSON.
    pub(crate) fn rows(&self) -> Vec<Value> {
        let row = |(mode, row): (&&str, &Row)| {
            let Row { killed, torn, durable, with_loss, lost_most } = row;
            json!({
                "mode": mode, "killed": killed, "torn": torn, "durable": durable,
                "with_loss": with_loss, "lost_most": lost_most,
            })
        };
        self.rows.iter().map(row).collect()
    }
}

/// A sentence, and a table in Markdown.
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} lives, {} of them killed before they were done\n",
            self.lives, self.killed
        )?;
        writeln!(f, "| mode | killed | torn | durable | with loss | lost, most |")?;
        writeln!(f, "|---|---:|---:|---:|---:|---:|")?;
        for (name, Row { killed, torn, durable, with_loss, lost_most }) in &self.rows {
            writeln!(f, "| {name} | {killed} | {torn} | {durable} | {with_loss} | {lost_most} |")?;
        }
        Ok(())
    }
}
