//! `audit events`: what can be recorded.

use std::fmt::{self, Write as _};

use anstyle::Style;
use audit_core::event::{Criticality, EventRow, FieldKind, FieldRow};
use audit_core::lifecycle::LIFECYCLE_TYPES;
use audit_core::{AuditEvent, EventCategory};
use clap::{Args, ColorChoice};
use serde_json::{Value, json};

use crate::output::{self, Format};

/// Version of the JSON that is printed.
const SCHEMA_VERSION: u32 = 1;

/// Columns of a line when it is not known how many there are.
const COLUMNS_DEFAULT: usize = 100;

const EXAMPLES: &str = "\
Examples:
  $ audit events
  $ audit events --format json

Exit status: 0, or 2 when the command could not print.";

/// Lists the events that can be recorded, with their members.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct EventsArgs {
    /// How the table is written
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,

    /// When colours are used
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
}

/// Runs the command; its exit status.
pub(crate) fn run(args: &EventsArgs) -> u8 {
    let columns = output::columns().unwrap_or(COLUMNS_DEFAULT);
    let table = Table { columns, colour: output::takes_colour(args.color) };
    output::answer(args.format, table, json, 0)
}

fn json() -> Value {
    let field = |field: &FieldRow| json!({ "name": field.name, "kind": field.kind.as_str(), "optional": field.optional });
    let row = |row: &EventRow| {
        json!({
            "event_type": row.event_type,
            "category": row.category.as_str(),
            "criticality": row.criticality.as_str(),
            "about": row.doc.trim(),
            "fields": row.fields.iter().map(field).collect::<Value>(),
        })
    };
    json!({
        "schema_version": SCHEMA_VERSION,
        "events": AuditEvent::TABLE.iter().map(row).collect::<Value>(),
        "lifecycle": LIFECYCLE_TYPES,
    })
}

/// The table for a person.
struct Table {
    columns: usize,
    colour: bool,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let strong = if self.colour { Style::new().bold() } else { Style::new() };
        for category in EventCategory::ALL {
            let mut rows =
                AuditEvent::TABLE.iter().filter(|row| row.category == category).peekable();
            if rows.peek().is_some() {
                writeln!(f, "{strong}{}{strong:#}", category.as_str())?;
            }
            rows.try_for_each(|row| self.write_row(f, row, strong))?;
        }
        writeln!(f, "{strong}{}{strong:#}", EventCategory::Lifecycle.as_str())?;
        let types = LIFECYCLE_TYPES.map(str::to_owned);
        writeln!(f, "    What the writer itself records, and nobody else can.")?;
        self.write_words(f, &types)?;
        writeln!(f)?;
        f.write_str(
            "* critical, ! critical when the event says so, ? may be absent. Every event has a timestamp;\n\
             a member without a kind is text.\n",
        )
    }
}

impl Table {
    fn write_row(&self, f: &mut fmt::Formatter<'_>, row: &EventRow, strong: Style) -> fmt::Result {
        let mark = match row.criticality {
            Criticality::Routine => ' ',
            Criticality::Critical => '*',
            Criticality::Stated => '!',
        };
        let style = if mark == ' ' { Style::new() } else { strong };
        writeln!(f, "{style}{mark} {:<26}{style:#}{}", row.event_type, row.doc.trim())?;
        let fields = row.fields.iter().filter(|field| field.name != "timestamp");
        self.write_words(f, &fields.map(shown).collect::<Vec<_>>())
    }

    /// Words on as few lines as they need.
    fn write_words(&self, f: &mut fmt::Formatter<'_>, words: &[String]) -> fmt::Result {
        let mut line = String::from("   ");
        let mut words = words.iter().peekable();
        while let Some(word) = words.next() {
            let comma = if words.peek().is_some() { "," } else { "" };
            let needs = line.len().saturating_add(word.len()).saturating_add(2);
            if needs > self.columns && line.len() > 3 {
                writeln!(f, "{line}")?;
                line.truncate(3);
            }
            write!(line, " {word}{comma}")?;
        }
        writeln!(f, "{line}")
    }
}

/// A member with its kind and whether it may be absent.
fn shown(field: &FieldRow) -> String {
    let FieldRow { name, kind, optional } = field;
    let absent = if *optional { "?" } else { "" };
    // Of these, the name says it, or the kind is the usual one.
    let says_nothing = *kind == FieldKind::Text || kind.as_str() == *name;
    let kind = if says_nothing { String::new() } else { format!(":{}", kind.as_str()) };
    format!("{name}{absent}{kind}")
}
