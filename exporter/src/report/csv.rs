//! The report for spreadsheets and scripts: one table at a time, a row for each thing, names of columns the same in every
//! language.
//!
//! UTF-8; with a byte order mark in Japanese, because Excel takes the text for Shift_JIS without one. No cell is a
//! formula, whatever a title says. Moments are RFC 3339 in UTC, lengths seconds, shares 0 to 1 as in `model`. What is not
//! known is an empty cell. Not for: reading back (`json`).

use csv::{Terminator, Writer, WriterBuilder};
use serde::{Deserialize, Serialize};

use super::model::{FunctionReport, Link, NoticeReport, Origin, Report};
use super::rounding;
use crate::lang::Lang;

/// Which table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// The figures: a row for each function and each of the three figures
    #[default]
    Figures,
    /// Incidents: a row for each and function
    Incidents,
    /// Maintenance: a row for each and function
    Maintenance,
    /// Measured downtime nobody judged: a row for each stretch
    Unexplained,
    /// Unmeasured time: a row for each stretch
    Gaps,
    /// Every slot
    Slots,
    /// What the ledger decides: a row for each window
    Windows,
    /// The year so far: a row for each month and function
    Year,
}

/// `table` of `report`.
///
/// # Errors
/// Never: it is written to memory.
pub fn render(report: &Report, table: Table, lang: Lang) -> Result<Vec<u8>, csv::Error> {
    let mark: &[u8] = lang.pick("\u{feff}".as_bytes(), b"");
    // As RFC 4180 has it, and Excel.
    let rows = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(mark.to_vec());
    let mut rows = Rows { rows, lang, report };
    match table {
        Table::Figures => rows.figures()?,
        Table::Incidents => rows.incidents()?,
        Table::Maintenance => rows.maintenance()?,
        Table::Unexplained => rows.unexplained()?,
        Table::Gaps => rows.gaps()?,
        Table::Slots => rows.slots()?,
        Table::Windows => rows.windows()?,
        Table::Year => rows.year()?,
    }
    rows.rows.into_inner().map_err(|error| error.into_error().into())
}

struct Rows<'a> {
    rows: Writer<Vec<u8>>,
    lang: Lang,
    report: &'a Report,
}

type Written = Result<(), csv::Error>;

impl Rows<'_> {
    fn head(&mut self, columns: &[&str]) -> Written {
        self.rows.write_record([&["contract", "month", "function"], columns].concat())
    }

    /// A row about `function`. Cells of people's texts went through [`text`].
    fn row(&mut self, function: &str, cells: Vec<String>) -> Written {
        let first = [text(&self.report.contract.name), self.report.month.to_string(), text(function)];
        self.rows.write_record(first.into_iter().chain(cells))
    }

    fn figures(&mut self) -> Written {
        self.head(&[
            "title",
            "figure",
            "objective",
            "outcome",
            "status",
            "availability",
            "availability_percent",
            "availability_lower",
            "availability_lower_percent",
            "availability_to_date",
            "calendar_seconds",
            "excluded_planned_seconds",
            "excluded_upstream_seconds",
            "excluded_force_majeure_seconds",
            "service_seconds",
            "elapsed_service_seconds",
            "downtime_seconds",
            "judged_downtime_seconds",
            "measured_downtime_seconds",
            "overrun_judged_seconds",
            "overrun_measured_seconds",
            "up_seconds",
            "unmeasured_seconds",
            "allowed_downtime_seconds",
            "budget_remaining_seconds",
        ])?;
        let state = word(&self.report.status.state);
        for function in &self.report.functions {
            let FunctionReport { measured, provisional, adjudicated, objective, overrun, .. } = function;
            for (name, figures) in [("provisional", provisional), ("measured", measured), ("adjudicated", adjudicated)]
            {
                let headline = name == "provisional";
                let only = |cell: String| if headline { cell } else { String::new() };
                let mut cells = vec![
                    text(function.title.of(self.lang)),
                    name.to_owned(),
                    objective.to_string(),
                    only(word(&function.outcome)),
                    only(state.clone()),
                    cell(figures.availability),
                    cell(rounding::availability(figures, *objective)),
                    cell(figures.availability_lower),
                    cell(rounding::availability_lower(figures, *objective)),
                    cell(figures.availability_to_date),
                ];
                let excluded = figures.excluded;
                cells.extend(
                    [
                        figures.calendar_seconds,
                        excluded.planned_seconds,
                        excluded.upstream_seconds,
                        excluded.force_majeure_seconds,
                        figures.service_seconds,
                        figures.elapsed_service_seconds,
                        figures.downtime_seconds,
                        figures.judged_downtime_seconds,
                        figures.measured_downtime_seconds,
                    ]
                    .map(|seconds| seconds.to_string()),
                );
                cells.extend([overrun.judged_seconds, overrun.measured_seconds].map(|part| only(part.to_string())));
                cells.extend(
                    [figures.up_seconds, figures.unmeasured_seconds, figures.allowed_downtime_seconds]
                        .map(|seconds| seconds.to_string()),
                );
                cells.push(cell(figures.budget_remaining_seconds));
                self.row(&function.name, cells)?;
            }
        }
        Ok(())
    }

    fn incidents(&mut self) -> Written {
        self.head(&[
            "id",
            "title",
            "cause",
            "upstream",
            "started_at",
            "resolved_at",
            "seconds_in_month",
            "downtime_seconds",
            "excluded_seconds",
            "unjudged_downtime_seconds",
            "slots_up",
            "slots_down",
            "slots_unmeasured",
            "decided_by",
            "decided_at",
            "evidence",
            "first_report_seconds",
            "notices",
        ])?;
        for incident in &self.report.incidents {
            let decided = incident.decided.as_ref();
            for of in &incident.functions {
                let cells = vec![
                    text(&incident.id),
                    text(incident.title.of(self.lang)),
                    incident.cause.as_ref().map(word).unwrap_or_default(),
                    text(incident.upstream.as_ref().map_or("", |upstream| &upstream.name)),
                    moment(incident.started_at),
                    incident.resolved_at.map(moment).unwrap_or_default(),
                    incident.seconds_in_month.to_string(),
                    of.downtime_seconds.to_string(),
                    of.excluded_seconds.to_string(),
                    of.unjudged_downtime_seconds.to_string(),
                    of.slots.up.to_string(),
                    of.slots.down.to_string(),
                    of.slots.unmeasured.to_string(),
                    text(decided.map_or("", |decision| &decision.by)),
                    decided.map(|decision| moment(decision.at)).unwrap_or_default(),
                    text(decided.map_or("", |decision| decision.evidence.of(self.lang))),
                    cell(incident.first_report_seconds),
                    self.notices(&incident.notices),
                ];
                self.row(&of.function, cells)?;
            }
        }
        Ok(())
    }

    fn maintenance(&mut self) -> Written {
        self.head(&[
            "id",
            "title",
            "emergency",
            "announced_at",
            "start",
            "end",
            "finished_at",
            "cancelled_at",
            "notice_seconds",
            "notice_kept",
            "slot_kept",
            "limit_seconds",
            "limit_kept",
            "stop_seconds",
            "exclusion",
            "excluded_seconds",
            "overrun_judged_seconds",
            "overrun_measured_seconds",
            "counted_downtime_seconds",
            "notices",
        ])?;
        for stop in &self.report.maintenance {
            for of in &stop.functions {
                let cells = vec![
                    text(&stop.id),
                    text(stop.title.of(self.lang)),
                    stop.emergency.to_string(),
                    stop.announced_at.map(moment).unwrap_or_default(),
                    moment(stop.start),
                    moment(stop.end),
                    stop.finished_at.map(moment).unwrap_or_default(),
                    stop.cancelled_at.map(moment).unwrap_or_default(),
                    cell(stop.notice_seconds),
                    stop.notice_kept.to_string(),
                    stop.slot_kept.to_string(),
                    cell(of.limit_seconds),
                    of.limit_kept.to_string(),
                    stop.stop_seconds.to_string(),
                    word(&stop.exclusion),
                    of.excluded_seconds.to_string(),
                    of.overrun_judged_seconds.to_string(),
                    of.overrun_measured_seconds.to_string(),
                    of.counted_downtime_seconds.to_string(),
                    self.notices(&stop.notices),
                ];
                self.row(&of.function, cells)?;
            }
        }
        Ok(())
    }

    fn unexplained(&mut self) -> Written {
        self.head(&["start", "end", "seconds", "link", "entry"])?;
        for function in &self.report.functions {
            for stretch in &function.unexplained {
                let kind = stretch.link.as_ref().map_or("", |link| match link {
                    Link::Incident { .. } => "incident",
                    Link::Overrun { .. } => "overrun",
                    Link::Counted { .. } => "counted",
                });
                let cells = vec![
                    moment(stretch.start),
                    moment(stretch.end),
                    stretch.seconds.to_string(),
                    kind.to_owned(),
                    text(stretch.link.as_ref().map_or("", Link::id)),
                ];
                self.row(&function.name, cells)?;
            }
        }
        Ok(())
    }

    fn gaps(&mut self) -> Written {
        self.head(&["start", "end", "seconds"])?;
        for function in &self.report.functions {
            for gap in &function.gaps {
                self.row(&function.name, vec![moment(gap.start), moment(gap.end), gap.seconds.to_string()])?;
            }
        }
        Ok(())
    }

    fn slots(&mut self) -> Written {
        self.head(&["at", "up"])?;
        for function in &self.report.functions {
            for slot in &function.slots {
                self.row(&function.name, vec![moment(slot.at), u8::from(slot.up).to_string()])?;
            }
        }
        Ok(())
    }

    fn windows(&mut self) -> Written {
        self.head(&["entry", "effect", "reason", "start", "end"])?;
        for function in &self.report.functions {
            for window in &function.windows {
                let cells = vec![
                    text(&window.entry),
                    window.reason.effect().word().to_owned(),
                    window.reason.word().to_owned(),
                    moment(window.start),
                    window.end.map(moment).unwrap_or_default(),
                ];
                self.row(&function.name, cells)?;
            }
        }
        Ok(())
    }

    fn year(&mut self) -> Written {
        // The first column of a row is the report's month.
        self.head(&[
            "of_month",
            "origin",
            "revision",
            "objective",
            "outcome",
            "availability",
            "availability_percent",
            "availability_lower",
            "availability_lower_percent",
            "service_seconds",
            "downtime_seconds",
            "unmeasured_seconds",
        ])?;
        for function in &self.report.functions {
            for month in &function.year {
                let percent = |known: Option<f64>, downtime| {
                    known.and_then(|_| rounding::percent(month.service_seconds, downtime, function.objective))
                };
                let down = month.downtime_seconds;
                let (origin, revision) = match month.origin {
                    Origin::Report => ("report", self.report.revision),
                    Origin::Recorded => ("recorded", None),
                    Origin::Closed { revision } => ("closed", Some(revision)),
                };
                let cells = vec![
                    month.month.to_string(),
                    origin.to_owned(),
                    cell(revision),
                    function.objective.to_string(),
                    word(&month.outcome),
                    cell(month.availability),
                    cell(percent(month.availability, down)),
                    cell(month.availability_lower),
                    cell(percent(month.availability_lower, down + month.unmeasured_seconds)),
                    month.service_seconds.to_string(),
                    down.to_string(),
                    month.unmeasured_seconds.to_string(),
                ];
                self.row(&function.name, cells)?;
            }
        }
        Ok(())
    }

    fn notices(&self, notices: &[NoticeReport]) -> String {
        let each = |notice: &NoticeReport| format!("{} {}", moment(notice.at), notice.channel.word());
        notices.iter().map(each).collect::<Vec<_>>().join("; ")
    }
}

/// A text somebody wrote: what a spreadsheet would take for a formula gets an apostrophe in front.
fn text(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn cell<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// The word JSON has for a value of an enumeration.
fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn moment(at: i64) -> String {
    jiff::Timestamp::from_second(at).map_or_else(|_| at.to_string(), |moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;
    use crate::report::golden;
    use crate::report::sample::report;

    fn table(table: Table, lang: Lang) -> Vec<Vec<String>> {
        let bytes = render(&report(), table, lang).unwrap();
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn every_table_is_rectangular_and_has_rows() {
        for kind in Table::value_variants() {
            for lang in Lang::ALL {
                // The reader refuses rows of another length.
                let rows = table(*kind, lang);
                assert!(rows.len() > 1, "{kind:?}");
                assert_eq!(rows[0][..3], ["contract", "month", "function"]);
            }
        }
    }

    #[test]
    fn every_table_is_documented_with_its_columns() {
        let documentation = include_str!("../../../docs/report.md");
        for kind in Table::value_variants() {
            let name = word(kind);
            let row = documentation.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
            let row = row.unwrap_or_else(|| panic!("docs/report.md lacks the table {name}"));
            let columns: Vec<String> = table(*kind, Lang::En)[0][3..].iter().map(|name| format!("`{name}`")).collect();
            assert!(row.ends_with(&format!("| {} |", columns.join(", "))), "{name}: {}", columns.join(", "));
        }
    }

    #[test]
    fn no_text_is_a_formula() {
        let rows = table(Table::Incidents, Lang::En);
        assert!(rows.iter().any(|row| row[4] == "'=Form failures"), "{rows:?}");
        for (raw, safe) in [
            ("=1+1", "'=1+1"),
            ("+81 3", "'+81 3"),
            ("-x", "'-x"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'\t=1"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(text(raw), safe);
        }
    }

    #[test]
    fn what_a_text_contains_stays_in_its_cell() {
        let rows = table(Table::Incidents, Lang::Ja);
        assert!(rows.iter().any(|row| row[4] == "監視の誤検知 | \"proxy\""));
    }

    #[test]
    fn tables_read_as_they_did() {
        for kind in [Table::Figures, Table::Incidents, Table::Maintenance, Table::Year] {
            golden::check(&format!("{}.en.csv", word(&kind)), &render(&report(), kind, Lang::En).unwrap());
        }
        golden::check("incidents.ja.csv", &render(&report(), Table::Incidents, Lang::Ja).unwrap());
    }

    #[test]
    fn excel_is_told_the_encoding_in_japanese_only() {
        let starts = |lang| render(&report(), Table::Figures, lang).unwrap().starts_with(&[0xef, 0xbb, 0xbf]);
        assert!(starts(Lang::Ja));
        assert!(!starts(Lang::En));
    }
}
