//! The worked month of docs/availability.md: its configuration, ledger and slots through the code, against its numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sla_exporter::calendar::Month;
use sla_exporter::config::{self, Config};
use sla_exporter::exposition::{Format, Page};
use sla_exporter::ledger_metrics::{self, LedgerView};
use sla_exporter::report::assemble::{Input, assemble};
use sla_exporter::report::model::{Figures, Outcome, Report, Source, State, Waiting};
use sla_exporter::report::rounding;
use sla_exporter::report::slots::{STEP, Slot};

const NOW: &str = "2026-11-05T12:00:00+09:00";
const OBJECTIVE: f64 = 0.99;

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/availability.md");
    std::fs::read_to_string(path).unwrap()
}

fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap_or_else(|error| panic!("{text}: {error}")).as_second()
}

/// The cells of the rows of the table whose heading begins so.
fn table(document: &str, heading: &str) -> Vec<Vec<String>> {
    let mut lines = document.lines().skip_while(|line| !line.starts_with(heading));
    assert!(lines.next().is_some() && lines.next().is_some(), "there is no table {heading}");
    let rows = lines.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// The configuration out of the document's blocks, each with its file's name in its first line.
fn config() -> Config {
    let folder = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for block in document().split("```yaml\n").skip(1) {
        let block = block.split("```").next().unwrap();
        let name = block.lines().next().unwrap().trim_start_matches("# ");
        std::fs::write(folder.path().join(name), block).unwrap();
        names.push(name.to_owned());
    }
    assert_eq!(names, ["sla.yml", "ledger.yml"]);
    let loaded = config::load_at(&folder.path().join("sla.yml"), at(NOW));
    loaded.unwrap_or_else(|findings| panic!("{findings:?}")).config
}

/// The slots as the document has them: up but for the rows of its table.
fn slots() -> Vec<Slot> {
    let all = (at("2026-10-01T00:03:20+09:00")..=at("2026-10-31T23:58:20+09:00")).step_by(300);
    let mut slots: BTreeMap<i64, bool> = all.map(|at| (at, true)).collect();
    assert_eq!(slots.len(), 31 * 288);
    for row in table(&document(), "| from the slot |") {
        let [from, to, count, measured] = &row[..] else { panic!("{row:?}") };
        let found: Vec<i64> = slots.range(at(from)..=at(to)).map(|(at, _)| *at).collect();
        assert_eq!((found[0], found[found.len() - 1]), (at(from), at(to)), "no slot at {row:?}");
        assert_eq!(found.len().to_string(), *count, "{row:?}");
        for slot in found {
            match measured.as_str() {
                "down" => slots.insert(slot, false),
                "missing" => slots.remove(&slot),
                other => panic!("{other}"),
            };
        }
    }
    slots.into_iter().map(|(at, up)| Slot { at, up }).collect()
}

fn report(config: &Config) -> Report {
    let slots = BTreeMap::from([("client".to_owned(), slots())]);
    assemble(&Input {
        contract: &config.contract,
        ledger: &config.ledger,
        month: "2026-10".parse().unwrap(),
        now: at(NOW),
        slots: &slots,
        past: &[],
        sent: &[],
        watch: &sla_exporter::report::duties::Watch::default(),
        source: &Source::default(),
        revision: None,
    })
}

/// What a row of the table of figures shows of one of the three.
fn shown(figures: &Figures, row: &str) -> String {
    let excluded = figures.excluded;
    let seconds = match row {
        "the month, 31 × 86400 s" => figures.calendar_seconds,
        "excluded: planned" => excluded.planned_seconds,
        "excluded: upstream" => excluded.upstream_seconds,
        "excluded: force majeure" => excluded.force_majeure_seconds,
        "service time" => figures.service_seconds,
        "downtime judged" => figures.judged_downtime_seconds,
        "downtime measured, 300 s a slot" => figures.measured_downtime_seconds,
        "downtime" => figures.downtime_seconds,
        "downtime the objective allows" => figures.allowed_downtime_seconds,
        "unmeasured" => figures.unmeasured_seconds,
        "**availability, %**" => return rounding::availability(figures, OBJECTIVE).unwrap(),
        "**at least, if all unmeasured time was down, %**" => {
            return rounding::availability_lower(figures, OBJECTIVE).unwrap();
        }
        other => panic!("what is {other}?"),
    };
    seconds.to_string()
}

/// C4.1f, C4.1i–iii, C4.1.2.
#[test]
fn the_documents_figures_are_the_reports() {
    let report = report(&config());
    let function = &report.functions[0];
    let rows = table(&document(), "| | measured |");
    assert_eq!(rows.len(), 12);
    for row in &rows {
        let expected = [&function.measured, &function.provisional, &function.adjudicated].map(|f| shown(f, &row[0]));
        assert_eq!(row[1..], expected, "{}", row[0]);
    }
    assert_eq!(function.objective, OBJECTIVE);
    assert_eq!(function.outcome, Outcome::Met);
    assert_eq!(report.status.state, State::Provisional);
    let waiting = report.status.waiting.iter().map(|waiting| match waiting {
        Waiting::UndecidedIncident { id } => id.clone(),
        Waiting::UnexplainedDowntime { seconds, .. } => format!("{} slots", seconds / STEP),
        other => panic!("{other:?}"),
    });
    let expected = BTreeSet::from(["19 slots", "probe-certificate", "slow-search"].map(str::to_owned));
    assert_eq!(waiting.collect::<BTreeSet<_>>(), expected);
}

#[test]
fn the_documents_entries_do_what_it_says_and_together_make_the_figure() {
    let report = report(&config());
    let provisional = report.functions[0].provisional;
    let rows = table(&document(), "| what | excluded |");
    let number = |cell: &String| cell.parse::<i64>().unwrap();
    let sum = |column: usize| rows.iter().map(|row| number(&row[column])).sum::<i64>();
    assert_eq!(sum(1), provisional.excluded_seconds());
    assert_eq!(sum(2), provisional.judged_downtime_seconds);
    assert_eq!(sum(3) * STEP, provisional.measured_downtime_seconds);

    let id_of = |row: &Vec<String>| row[0].strip_prefix('`').and_then(|id| id.strip_suffix('`')).map(str::to_owned);
    let ids: BTreeSet<String> = rows.iter().filter_map(id_of).collect();
    let entries = report.maintenance.iter().map(|m| &m.id).chain(report.incidents.iter().map(|i| &i.id));
    assert_eq!(ids, entries.cloned().collect(), "every entry has its row");
    for row in &rows {
        let Some(stop) = report.maintenance.iter().find(|stop| Some(&stop.id) == id_of(row).as_ref()) else { continue };
        let function = &stop.functions[0];
        let counted = function.counted_downtime_seconds + function.overrun_measured_seconds;
        let seen = [function.excluded_seconds, function.overrun_judged_seconds, counted / STEP];
        assert_eq!(seen, [1, 2, 3].map(|column| number(&row[column])), "{row:?}");
    }
}

/// What dashboards and rules read: the exporter's page about that month.
#[test]
fn the_documents_seconds_are_the_pages() {
    let config = config();
    let mut page = Page::new(Format::Text, Vec::new());
    ledger_metrics::write(&config, &LedgerView::of(&config), at(NOW), &mut page);
    let page = String::from_utf8(page.finish()).unwrap();
    let rows = table(&document(), "| | measured |");
    let (whose, month) = ("contract=\"example\",function=\"client\"", "month=\"2026-10\",period=\"previous\"");
    for (row, metric, reason) in [
        ("service time", "sla_month_service_seconds", ""),
        ("service time", "sla_month_elapsed_service_seconds", ""),
        ("downtime judged", "sla_month_judged_downtime_seconds", ""),
        ("excluded: planned", "sla_month_excluded_seconds", "reason=\"planned\","),
        ("excluded: upstream", "sla_month_excluded_seconds", "reason=\"upstream\","),
        ("excluded: force majeure", "sla_month_excluded_seconds", "reason=\"force_majeure\","),
    ] {
        let provisional = &rows.iter().find(|cells| cells[0] == row).unwrap()[2];
        let line = format!("{metric}{{{whose},{reason}{month}}} {provisional}\n");
        assert!(page.contains(&line), "{line}is missing in\n{page}");
    }
}

#[test]
fn the_documents_months_have_their_hours() {
    let rows = table(&document(), "| month | zone |");
    assert!(rows.len() >= 6);
    for row in rows {
        let month: Month = row[0].parse().unwrap();
        let seconds = month.span(&jiff::tz::TimeZone::get(&row[1]).unwrap()).seconds();
        assert_eq!((seconds as f64 / 3600.0).to_string(), row[2], "{row:?}");
    }
}
