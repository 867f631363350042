//! Which time a draft is of.

use jiff::Timestamp;

use crate::calendar::Month;
use crate::cli::DraftFlags;
use crate::contract::Contract;
use crate::span::Span;

/// Months that are read at once: each is a month's slots in memory.
const MAX_MONTHS: usize = 24;

/// Which time a draft is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Period {
    /// The months to read, in order.
    pub(super) months: Vec<Month>,
    /// What was asked of them, where it is not all.
    pub(super) span: Option<Span>,
    /// For people.
    pub(super) words: String,
}

impl Period {
    /// What the flags ask for at `now`: the current month and the one before where they do not say.
    pub(super) fn new(flags: &DraftFlags, contract: &Contract, now: i64) -> Result<Self, String> {
        let current = Month::containing(now, &contract.timezone);
        if let Some(month) = flags.month.iter().find(|month| **month > current) {
            return Err(format!(
                "--month: {month} has not begun in {}; the newest month is {current}",
                contract.timezone_name
            ));
        }
        let mut months = flags.month.clone();
        months.sort_unstable();
        months.dedup();
        let mut span = None;
        if let Some(from) = flags.from {
            let to = flags.to.map_or(now, |to| to.as_second().min(now));
            let asked = Span::new(from.as_second(), to);
            let asked = asked.ok_or_else(|| match flags.to {
                Some(to) if to.as_second() <= now => format!("--to: {to} is not after --from {from}"),
                _ => format!("--from: {from} is in the future"),
            })?;
            months = between(asked, contract);
            span = Some(asked);
        } else if months.is_empty() {
            months = vec![current.previous(), current];
        }
        if months.len() > MAX_MONTHS {
            return Err(format!("more than {MAX_MONTHS} months at once; ask for fewer"));
        }
        let words = match span {
            Some(span) => format!("{} to {}", moment(span.start(), contract), moment(span.end(), contract)),
            None => months.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        Ok(Self { months, span, words })
    }
}

/// Every month with a second in `span`, or the first of too many.
fn between(span: Span, contract: &Contract) -> Vec<Month> {
    let last = Month::containing(span.end() - 1, &contract.timezone);
    let mut months = vec![Month::containing(span.start(), &contract.timezone)];
    while let Some(month) = months.last().copied().filter(|month| *month < last && months.len() <= MAX_MONTHS) {
        months.push(month.next());
    }
    months
}

fn moment(at: i64, contract: &Contract) -> String {
    let zoned = Timestamp::from_second(at).unwrap_or_default().to_zoned(contract.timezone.clone());
    zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command, LedgerCommand, LedgerFlags};
    use crate::report::sample;

    fn period(line: &[&str]) -> Result<Period, String> {
        let line = [&["sla-exporter", "ledger", "draft", "--config.file=a.yml"], line].concat();
        let cli = Cli::try_parse_from(line).map_err(|error| error.to_string())?;
        let Some(Command::Ledger(LedgerFlags { command: LedgerCommand::Draft(flags) })) = cli.command else {
            return Err("another command".to_owned());
        };
        Period::new(&flags, &sample::contract(), sample::seconds("2026-11-05T00:00:00"))
    }

    fn months(line: &[&str]) -> String {
        let months = period(line).unwrap().months;
        months.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn months_are_those_asked_for_in_order_or_this_and_the_last() {
        assert_eq!(months(&[]), "2026-10 2026-11");
        assert_eq!(months(&["--month=2026-10"]), "2026-10");
        assert_eq!(months(&["--month=2026-11", "--month=2026-09,2026-11"]), "2026-09 2026-11");
    }

    #[test]
    fn a_stretch_reads_the_months_it_touches_in_the_contracts_zone() {
        // Midnight in Tokyo.
        assert_eq!(months(&["--from=2026-09-30T14:59:59Z", "--to=2026-09-30T15:00:00Z"]), "2026-09");
        assert_eq!(months(&["--from=2026-09-30T14:59:59Z", "--to=2026-09-30T15:00:01Z"]), "2026-09 2026-10");
        assert_eq!(months(&["--from=2026-09-30T15:00:00Z"]), "2026-10 2026-11");
        let to_come = period(&["--from=2026-11-04T00:00:00+09:00", "--to=2027-01-01T00:00:00+09:00"]).unwrap();
        assert_eq!(to_come.span.unwrap().end(), sample::seconds("2026-11-05T00:00:00"));
        assert_eq!(to_come.words, "2026-11-04T00:00:00+09:00 to 2026-11-05T00:00:00+09:00");
        assert_eq!(period(&["--from=2024-12-15T00:00:00Z"]).unwrap().months.len(), 24);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_does() {
        for (line, words) in [
            (&["--month=2026-12"][..], "2026-12 has not begun in Asia/Tokyo; the newest month is 2026-11"),
            (&["--month=2026-13"], "2026-13"),
            (&["--from=2026-11-06T00:00:00+09:00"], "is in the future"),
            (&["--from=2026-11-02T00:00:00Z", "--to=2026-11-02T00:00:00Z"], "is not after --from"),
            (&["--from=2024-11-15T00:00:00Z"], "more than 24 months"),
            (&["--to=2026-11-02T00:00:00Z"], "--from"),
            (&["--from=2026-11-02T00:00:00"], "has no offset"),
            (&["--from=yesterday"], "write for example 2026-10-07T10:02:00+09:00"),
            (&["--from=2026-11-02T00:00:00Z", "--month=2026-10"], "cannot be used with"),
        ] {
            let why = period(line).unwrap_err();
            assert!(why.contains(words), "{line:?}: {why}");
        }
    }
}
