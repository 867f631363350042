//! `contract.duties`: under which clause and title the contract has a duty, or that it has it not.
//!
//! Not for: what measures a duty.

use super::text;
use crate::config::decode::Cursor;
use crate::config::names::did_you_mean;
use crate::config::node::Value;
use crate::contract::DutyTerms;
use crate::report::duties::kinds::{AVAILABILITY, KINDS};

/// Longest clause id.
const MOST_CLAUSE: usize = 32;

/// Reads the section; `functions` are those of the contract.
pub(super) fn read(cursor: &Cursor<'_>, functions: &[String]) -> Option<Vec<DutyTerms>> {
    let known: Vec<String> = KINDS
        .iter()
        .map(|kind| kind.name.to_owned())
        .chain(functions.iter().map(|function| format!("{AVAILABILITY}{function}")))
        .collect();
    let mut terms = Vec::new();
    let mut whole = true;
    for (name, mark, entry) in cursor.named()? {
        if !known.iter().any(|known| known == name) {
            let hint = did_you_mean(name, known.iter().map(String::as_str));
            entry.error_at(mark, format_args!("unknown duty `{name}`; accepted: {}{hint}", known.join(", ")));
            whole = false;
        }
        match duty(name, &entry) {
            Some(duty) => terms.push(duty),
            None => whole = false,
        }
    }
    whole.then_some(terms)
}

fn duty(name: &str, entry: &Cursor<'_>) -> Option<DutyTerms> {
    let plain = DutyTerms { duty: name.to_owned(), owed: true, ..DutyTerms::default() };
    if !matches!(entry.node().value, Value::Map(_)) {
        return match entry.bool()? {
            false => Some(DutyTerms { owed: false, ..plain }),
            true => Some(plain),
        };
    }
    let mut map = entry.map()?;
    let clause = super::optional(map.get("clause"), |c| {
        let clause = c.label()?;
        if clause.chars().count() > MOST_CLAUSE {
            return c.error(format_args!("a clause has at most {MOST_CLAUSE} characters"));
        }
        Some(clause)
    });
    let own = super::optional(map.get("title"), text);
    map.finish();
    Some(DutyTerms { clause: clause?, title: own?, ..plain })
}
