//! A closed month: the file from which its figures can be computed again with nothing else at hand, and shown to be what
//! they were.
//!
//! Slots are frozen with the first closing. A later ruling makes another revision: the same slots under the ledger as it is
//! then. Each revision is sealed over itself, the slots and all revisions before it, and its figures are stored beside what
//! they come from: a file that was altered says so when it is read. Pure, but for the shape in which it is stored.
//! Not for: reading and writing the file (`report::command`).

mod difference;
mod terms;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use self::terms::Terms;
use super::assemble::{Input, Past, Sent, assemble};
use super::duties::Watch;
use super::model::{Difference, Figures, Report, Source};
use super::slots::Slot;
use crate::calendar::Month;
use crate::ledger::Ledger;

/// Version of the file's shape.
pub const FORMAT: u32 = 1;

/// A closed month of one contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// [`FORMAT`] of the version that wrote it.
    pub format: u32,
    /// Which contract.
    pub contract: String,
    /// Which month.
    pub month: Month,
    /// From which Prometheus the slots are.
    pub source: Source,
    /// Every slot measured in the month, by function.
    pub slots: BTreeMap<String, Vec<Slot>>,
    /// What was watched of the contract's duties; nothing in a file older than that.
    #[serde(default, skip_serializing_if = "Watch::is_empty")]
    pub watch: Watch,
    /// From 1 on; never empty.
    pub revisions: Vec<Revision>,
}

/// The month as it was known at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// From 1 on.
    pub revision: u32,
    /// When it was made, in seconds since the epoch; the report is of this moment.
    pub closed_at: i64,
    /// The version of sla-exporter that made it.
    pub tool_version: String,
    /// What was promised.
    terms: Terms,
    /// The whole ledger.
    pub ledger: Ledger,
    /// [`Ledger::sha256`] of it.
    pub ledger_sha256: String,
    /// Notices the exporter had sent.
    sent: Vec<Sent>,
    /// Earlier months of the year.
    past: Vec<Past>,
    /// What came out, in the contract's order.
    pub figures: Vec<ClosedFigures>,
    /// Over this revision, the slots, and the seal of the revision before; hexadecimal.
    pub seal: String,
}

/// One function's figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedFigures {
    /// Which function.
    pub function: String,
    /// The slots alone.
    pub measured: Figures,
    /// The whole ledger: the headline.
    pub provisional: Figures,
    /// Decided incidents only.
    pub adjudicated: Figures,
}

/// Why a file is not taken, or a month not closed. Completes `<file>: …`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClosedError {
    /// The month goes on.
    #[error("{0} is not over, or has ended less than a minute ago; it can be closed then")]
    NotOver(Month),
    /// Of another month or contract.
    #[error("it is of {found}, not of {wanted}; close into another folder")]
    Other {
        /// `contract month`.
        found: String,
        /// The same.
        wanted: String,
    },
    /// Not JSON of this shape.
    #[error("it is not a closed month: {0}")]
    Shape(String),
    /// Of a later version.
    #[error("it has format {0}, which a later version of sla-exporter wrote; this one knows format {FORMAT}")]
    Format(u32),
    /// Not what was written.
    #[error(
        "it was altered after it was closed: {0}. Restore the file from where reports are kept; its figures cannot be relied on"
    )]
    Altered(String),
    /// A revision that is not there.
    #[error("it has no revision {0}; the newest is {1}")]
    NoRevision(u32, u32),
    /// A contract this machine cannot calculate.
    #[error("{0}")]
    Terms(String),
}

/// What closing came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Closing {
    /// The file's content.
    pub closed: Closed,
    /// Whether a revision was added; else nothing had changed since the newest one.
    pub new: bool,
}

/// Closes the month of `input`, or adds a revision to `before`, whose slots then stand in for those of `input`.
///
/// # Errors
/// When the month is not over, or `before` is of another one.
pub fn close(input: &Input<'_>, before: Option<Closed>) -> Result<Closing, ClosedError> {
    let contract = input.contract;
    let mut closed = match before {
        Some(before) if before.contract != contract.name || before.month != input.month => {
            return Err(ClosedError::Other {
                found: format!("{} {}", before.contract, before.month),
                wanted: format!("{} {}", contract.name, input.month),
            });
        }
        Some(before) => before,
        None => Closed {
            format: FORMAT,
            contract: contract.name.clone(),
            month: input.month,
            source: input.source.clone(),
            slots: input.slots.clone(),
            watch: input.watch.clone(),
            revisions: Vec::new(),
        },
    };
    let number = closed.revisions.last().map_or(1, |last| last.revision + 1);
    let report = assemble(&Input {
        slots: &closed.slots,
        watch: &closed.watch,
        source: &closed.source,
        revision: Some(number),
        ..*input
    });
    if report.counted_until < report.month_end / super::slots::STEP * super::slots::STEP {
        return Err(ClosedError::NotOver(input.month));
    }
    if let Some(last) = closed.revisions.last()
        && same(&closed.report_of(last)?, &report)
    {
        return Ok(Closing { closed, new: false });
    }
    let mut revision = Revision {
        revision: number,
        closed_at: input.now,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        terms: Terms::of(contract),
        ledger: input.ledger.clone(),
        ledger_sha256: input.ledger.sha256(),
        sent: input.sent.to_vec(),
        past: input.past.to_vec(),
        figures: figures(&report),
        seal: String::new(),
    };
    revision.seal = closed.seal(closed.revisions.len(), &revision);
    closed.revisions.push(revision);
    Ok(Closing { closed, new: true })
}

/// Whether two reports say the same of the month, whenever they were made.
fn same(one: &Report, other: &Report) -> bool {
    let what = |report: &Report| Report {
        generated_at: 0,
        tool_version: String::new(),
        ledger_sha256: String::new(),
        ledger_entries: 0,
        revision: None,
        difference: None,
        functions: report
            .functions
            .iter()
            .cloned()
            // Other months are not what was closed.
            .map(|mut function| {
                function.year.clear();
                function
            })
            .collect(),
        ..report.clone()
    };
    what(one) == what(other)
}

fn figures(report: &Report) -> Vec<ClosedFigures> {
    let one = |function: &super::model::FunctionReport| ClosedFigures {
        function: function.name.clone(),
        measured: function.measured,
        provisional: function.provisional,
        adjudicated: function.adjudicated,
    };
    report.functions.iter().map(one).collect()
}

impl Closed {
    /// Reads the content of a file, and computes every revision again.
    ///
    /// # Errors
    /// When it is not such a file, or not what was written.
    pub fn read(text: &[u8]) -> Result<Self, ClosedError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let shape = |error: serde_json::Error| ClosedError::Shape(error.to_string());
        let head: Head = serde_json::from_slice(text).map_err(shape)?;
        if head.format != FORMAT {
            return Err(ClosedError::Format(head.format));
        }
        let closed: Self = serde_json::from_slice(text).map_err(shape)?;
        if closed.revisions.is_empty() {
            return Err(ClosedError::Shape("it has no revision".to_owned()));
        }
        for (index, revision) in closed.revisions.iter().enumerate() {
            let number = revision.revision;
            let altered = |what: &str| Err(ClosedError::Altered(format!("{what} of revision {number}")));
            if usize::try_from(number).ok() != Some(index + 1) {
                return altered("the number");
            }
            if closed.seal(index, revision) != revision.seal {
                return altered("the seal is not that of the content");
            }
            if revision.ledger.sha256() != revision.ledger_sha256 {
                return altered("the ledger is not the one whose sum is noted");
            }
            // What another version of this software calculates otherwise is to be known, too.
            if figures(&closed.report_of(revision)?) != revision.figures {
                return altered(&format!(
                    "figures, written by version {}, are not what its slots and ledger come to",
                    revision.tool_version
                ));
            }
        }
        Ok(closed)
    }

    /// The content of the file: one line for each slot would make a long file, one for all an unreadable one; it is JSON
    /// with a line for each value but slots.
    ///
    /// # Errors
    /// None that occur: every value has a JSON form.
    pub fn write(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut text = serde_json::to_vec_pretty(&self.without_slots())?;
        let marker = b"\"slots\": {}";
        let slots = serde_json::to_vec(&self.slots)?;
        if let Some(at) = text.windows(marker.len()).position(|window| window == marker) {
            text.splice(at..at + marker.len(), [b"\"slots\": ".as_slice(), &slots].concat());
        }
        text.push(b'\n');
        Ok(text)
    }

    fn without_slots(&self) -> Self {
        Self { slots: BTreeMap::new(), ..self.clone() }
    }

    /// The report of a revision, the newest unless a number is given, with what changed from the one before.
    ///
    /// # Errors
    /// When there is no such revision.
    pub fn report(&self, number: Option<u32>) -> Result<Report, ClosedError> {
        let newest = self.revisions.len();
        let wanted = number.map_or(Some(newest), |number| usize::try_from(number).ok());
        let index = wanted.and_then(|wanted| wanted.checked_sub(1)).filter(|index| *index < newest);
        let (Some(index), Some(revision)) = (index, index.and_then(|index| self.revisions.get(index))) else {
            let newest = u32::try_from(newest).unwrap_or(u32::MAX);
            return Err(ClosedError::NoRevision(number.unwrap_or_default(), newest));
        };
        let mut report = self.report_of(revision)?;
        if let Some(before) = index.checked_sub(1).and_then(|before| self.revisions.get(before)) {
            report.difference = Some(self.difference(before, revision));
        }
        Ok(report)
    }

    fn report_of(&self, revision: &Revision) -> Result<Report, ClosedError> {
        let contract = revision.terms.contract(&self.contract).map_err(ClosedError::Terms)?;
        let mut report = assemble(&Input {
            contract: &contract,
            ledger: &revision.ledger,
            month: self.month,
            now: revision.closed_at,
            slots: &self.slots,
            past: &revision.past,
            sent: &revision.sent,
            watch: &self.watch,
            source: &self.source,
            revision: Some(revision.revision),
        });
        report.tool_version.clone_from(&revision.tool_version);
        Ok(report)
    }

    fn difference(&self, before: &Revision, after: &Revision) -> Difference {
        difference::between(before, after)
    }

    /// The seal of the revision at `index`.
    fn seal(&self, index: usize, revision: &Revision) -> String {
        #[derive(Serialize)]
        struct Sealed<'a> {
            format: u32,
            contract: &'a str,
            month: Month,
            source: &'a Source,
            slots: &'a BTreeMap<String, Vec<Slot>>,
            #[serde(skip_serializing_if = "Watch::is_empty")]
            watch: &'a Watch,
            before: Option<&'a str>,
            revision: &'a Revision,
        }
        let before = index.checked_sub(1).and_then(|before| self.revisions.get(before));
        let sealed = Sealed {
            format: self.format,
            contract: &self.contract,
            month: self.month,
            source: &self.source,
            slots: &self.slots,
            watch: &self.watch,
            before: before.map(|before| before.seal.as_str()),
            revision: &Revision { seal: String::new(), ..revision.clone() },
        };
        let text = serde_json::to_vec(&sealed).unwrap_or_default();
        Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests;
