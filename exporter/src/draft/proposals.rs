//! From unexplained stretches to entries: one for each stretch, one for all functions that were down over the same.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::report::model::{Link, Report};

/// An entry to complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Not in the ledger yet.
    pub id: String,
    /// Names, in the contract's order.
    pub functions: Vec<String>,
    /// Begin: the first slot speaks for the five minutes before its timestamp.
    pub started_at: i64,
    /// Timestamp of the last slot.
    pub ended_at: i64,
    /// The newest slot is down: it goes on.
    pub open: bool,
    /// A maintenance it lies within, which is not excluded.
    pub counted: Option<String>,
}

/// A stretch that an entry is about already: what to write into that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Which entry, and how.
    pub link: Link,
    /// The function.
    pub function: String,
    /// Begin.
    pub start: i64,
    /// Timestamp of the last slot.
    pub end: i64,
}

/// All that is to be judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// In order of time.
    pub proposals: Vec<Proposal>,
    /// In order of time.
    pub remarks: Vec<Remark>,
}

impl Draft {
    /// Whether nothing is to be judged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.proposals.is_empty() && self.remarks.is_empty()
    }
}

/// What the unexplained stretches of `reports` come to. `taken` are the ids of the ledger.
#[must_use]
pub fn proposals(reports: &[Report], zone: &TimeZone, taken: &BTreeSet<&str>) -> Draft {
    let mut draft = Draft::default();
    for report in reports {
        for function in &report.functions {
            for stretch in &function.unexplained {
                let counted = match &stretch.link {
                    Some(link @ (Link::Incident { .. } | Link::Overrun { .. })) => {
                        draft.remarks.push(Remark {
                            link: link.clone(),
                            function: function.name.clone(),
                            start: stretch.start,
                            end: stretch.end,
                        });
                        continue;
                    }
                    Some(Link::Counted { id }) => Some(id.clone()),
                    None => None,
                };
                // The last of all places that are counted, and the month is not over.
                let open = report.counted_until < report.month_end && stretch.end > report.counted_until - 300;
                add(&mut draft.proposals, &function.name, stretch.start, stretch.end, open, counted);
            }
        }
    }
    draft.proposals.sort_by_key(|proposal| (proposal.started_at, proposal.ended_at));
    draft.remarks.sort_by_key(|remark| (remark.start, remark.end));
    name(&mut draft.proposals, zone, taken);
    draft
}

fn add(all: &mut Vec<Proposal>, function: &str, start: i64, end: i64, open: bool, counted: Option<String>) {
    // Over the edge of a month it is one outage; an incident may reach over it.
    let same =
        |known: &&mut Proposal| known.counted == counted && known.functions == [function] && known.ended_at == start;
    if let Some(known) = all.iter_mut().find(same) {
        known.ended_at = end;
        known.open = open;
        return;
    }
    let same = |known: &&mut Proposal| {
        (known.started_at, known.ended_at) == (start, end) && known.counted == counted && known.open == open
    };
    match all.iter_mut().find(same) {
        Some(known) => known.functions.push(function.to_owned()),
        None => all.push(Proposal {
            id: String::new(),
            functions: vec![function.to_owned()],
            started_at: start,
            ended_at: end,
            open,
            counted,
        }),
    }
}

/// `draft-2026-10-07-1002-client`, with a number where that is taken.
fn name(proposals: &mut [Proposal], zone: &TimeZone, taken: &BTreeSet<&str>) {
    let mut taken: BTreeSet<String> = taken.iter().map(|id| (*id).to_owned()).collect();
    for proposal in proposals {
        let at = Timestamp::from_second(proposal.started_at).unwrap_or_default().to_zoned(zone.clone());
        let who = match proposal.functions.as_slice() {
            [one] => one.as_str(),
            _ => "several",
        };
        let stem = format!("draft-{}-{who}", at.strftime("%Y-%m-%d-%H%M"));
        let mut id = stem.clone();
        let mut number = 2;
        while !taken.insert(id.clone()) {
            id = format!("{stem}-{number}");
            number += 1;
        }
        proposal.id = id;
    }
}
