//! Figures, as rows of JSON and as tables for people.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Everything that a run measured.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) times: Vec<Time>,
    pub(super) allocations: Vec<Memory>,
    pub(super) instructions: Vec<Instructions>,
    /// What was not measured, and why, a sentence each.
    pub(super) skipped: Vec<String>,
}

/// How long an iteration takes: the median, and the bounds between which it is with a confidence of
/// 95 %.
#[derive(Debug, PartialEq)]
pub(super) struct Time {
    pub(super) name: String,
    pub(super) median_ns: f64,
    pub(super) low_ns: f64,
    pub(super) high_ns: f64,
    pub(super) work: Option<Work>,
}

/// What an iteration works on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Work {
    Bytes(f64),
    Elements(f64),
}

/// What some path of an event asks of the allocator.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) name: String,
    pub(super) allocations: u64,
    pub(super) reallocations: u64,
    pub(super) bytes: u64,
}

/// Instructions that one call takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Instructions {
    pub(super) name: String,
    pub(super) count: u64,
}

/// Every figure, a line of JSON each.
pub(super) fn rows(measured: &Measured) -> String {
    let times = measured.times.iter().map(|time| {
        let Time { name, median_ns, low_ns, high_ns, work } = time;
        let (bytes, elements) = match work {
            Some(Work::Bytes(bytes)) => (Some(bytes), None),
            Some(Work::Elements(elements)) => (None, Some(elements)),
            None => (None, None),
        };
        json!({
            "kind": "time", "name": name,
            "median_ns": median_ns, "low_ns": low_ns, "high_ns": high_ns,
            "bytes": bytes, "elements": elements,
        })
    });
    let instructions = measured.instructions.iter().map(|Instructions { name, count }| {
        json!({ "kind": "instructions", "name": name, "instructions": count })
    });
    let allocations = measured.allocations.iter().map(|row| {
        let Memory { name, allocations, reallocations, bytes } = row;
        json!({
            "kind": "allocations", "name": name,
            "allocations": allocations, "reallocations": reallocations, "bytes": bytes,
        })
    });
    let lines = times.chain(instructions).chain(allocations).map(|row: Value| format!("{row}\n"));
    lines.collect()
}

/// Every figure in tables of Markdown; of allocations the sum for each path, since there is a row
/// for every input.
pub(super) fn tables(measured: &Measured) -> String {
    let mut parts = vec![
        table(["time", "median", "low", "high", "rate"], measured.times.iter().map(time_cells)),
        table(
            ["instructions", "count"],
            measured.instructions.iter().map(|row| [row.name.clone(), row.count.to_string()]),
        ),
        table(
            ["memory taken", "inputs", "allocations", "reallocations", "bytes"],
            by_path(&measured.allocations),
        ),
    ];
    parts.extend(measured.skipped.iter().map(|why| format!("{why}\n")));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn time_cells(time: &Time) -> [String; 5] {
    let rate = time.work.map_or_else(String::new, |work| rate(work, time.median_ns));
    let [median, low, high] = [time.median_ns, time.low_ns, time.high_ns].map(duration);
    [time.name.clone(), median, low, high, rate]
}

fn by_path(rows: &[Memory]) -> impl Iterator<Item = [String; 5]> {
    let mut sums: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
    for row in rows {
        let path = row.name.rsplit_once('/').map_or(row.name.as_str(), |(path, _)| path);
        let added = [1, row.allocations, row.reallocations, row.bytes];
        let sum = sums.entry(path).or_default();
        sum.iter_mut().zip(added).for_each(|(sum, added)| *sum = sum.saturating_add(added));
    }
    sums.into_iter().map(|(path, sum)| {
        let [kinds, allocations, reallocations, bytes] = sum.map(|number| number.to_string());
        [path.to_owned(), kinds, allocations, reallocations, bytes]
    })
}

/// A table whose first column is text; empty without rows.
fn table<const COLUMNS: usize>(
    head: [&str; COLUMNS],
    rows: impl Iterator<Item = [String; COLUMNS]>,
) -> String {
    let mut lines: Vec<String> = rows.map(|cells| format!("| {} |\n", cells.join(" | "))).collect();
    if lines.is_empty() {
        return String::new();
    }
    let rule = format!("|---|{}\n", "---:|".repeat(COLUMNS.saturating_sub(1)));
    lines.splice(0..0, [format!("| {} |\n", head.join(" | ")), rule]);
    lines.concat()
}

/// A time in the unit that leaves one to three digits before the point.
fn duration(ns: f64) -> String {
    scaled(ns, &[(1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns")])
}

fn rate(work: Work, ns: f64) -> String {
    match work {
        Work::Bytes(bytes) => scaled(bytes / ns * 1e9, &[(1e9, "GB/s"), (1e6, "MB/s")]),
        Work::Elements(count) => {
            scaled(count / ns * 1e9, &[(1e6, "M/s"), (1e3, "k/s"), (1.0, "/s")])
        }
    }
}

/// A number in the first unit that is not larger, or the last one.
fn scaled(number: f64, units: &[(f64, &str)]) -> String {
    let fitting = units.iter().find(|(size, _)| number >= *size).or(units.last());
    let (size, unit) = fitting.unwrap_or(&(1.0, ""));
    let number = number / size;
    let decimals = match number {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{number:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Measured {
        let time = |name: &str, median_ns, work| Time {
            name: name.to_owned(),
            median_ns,
            low_ns: median_ns / 2.0,
            high_ns: median_ns * 2.0,
            work,
        };
        let allocations = |name: &str, allocations| Memory {
            name: name.to_owned(),
            allocations,
            reallocations: 0,
            bytes: 8,
        };
        Measured {
            times: vec![
                time("append/immediate", 14_296_195.2, Some(Work::Elements(100.0))),
                time("verify/64_mib", 180_000_000.0, Some(Work::Bytes(64e6))),
                time("bare", 7.0, None),
            ],
            allocations: vec![allocations("emit/a", 1), allocations("emit/b", 2)],
            instructions: vec![Instructions { name: "encode/short".to_owned(), count: 4_654 }],
            skipped: vec!["Skipped: a reason.".to_owned()],
        }
    }

    #[test]
    fn a_table_has_units_that_fit_and_sums_of_allocations() {
        let expected = "\
| time | median | low | high | rate |
|---|---:|---:|---:|---:|
| append/immediate | 14.3 ms | 7.15 ms | 28.6 ms | 6.99 k/s |
| verify/64_mib | 180 ms | 90.0 ms | 360 ms | 356 MB/s |
| bare | 7.00 ns | 3.50 ns | 14.0 ns |  |

| instructions | count |
|---|---:|
| encode/short | 4654 |

| memory taken | inputs | allocations | reallocations | bytes |
|---|---:|---:|---:|---:|
| emit | 2 | 3 | 0 | 16 |

Skipped: a reason.
";
        assert_eq!(tables(&measured()), expected);
    }

    #[test]
    fn what_was_not_measured_has_no_table() {
        let measured = Measured { times: Vec::new(), instructions: Vec::new(), ..measured() };
        assert!(tables(&measured).starts_with("| memory taken |"));
    }

    #[test]
    fn every_figure_is_a_row() {
        let rows = rows(&measured());
        let rows: Vec<Value> =
            rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), 6);
        assert_eq!(rows[0]["elements"], 100.0);
        assert_eq!(rows[1]["bytes"], 64e6);
        assert_eq!(rows[3]["instructions"], 4_654);
        assert_eq!(rows[5]["name"], "emit/b");
    }
}
