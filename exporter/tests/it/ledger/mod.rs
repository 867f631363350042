//! Ledgers as files: folders of them, damaged ones, large ones, and overlaps beside a slow count of them.
//!
//! What is said about each kind of fault is in `testdata/config`, which `config` goes through.

mod random;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use sla_exporter::config::{self, Diagnostic, Loaded, Severity};
use sla_exporter::ledger::{Cause, Ledger};

use crate::config::{NOW, apply, check_places, edits};

const CONTRACT: &str = "\
site: s
contract:
  name: c
  timezone: Asia/Tokyo
  functions:
    f: {objective: 99, capabilities: {a: {quorum: all}}}
    g: {objective: 99, capabilities: {a: {quorum: all}}}
  upstreams: {u: }
modules: {m: {prober: icmp, timeout: 3s}}
probes: [{name: p, module: m, targets: [127.0.0.1], evidence: f/a}, {name: q, module: m, targets: [127.0.0.2], evidence: g/a}]
";

fn load(folder: &Path, ledger: &str) -> Result<Loaded, Vec<Diagnostic>> {
    let file = folder.join("sla.yml");
    fs::write(&file, format!("{CONTRACT}ledger: {ledger}\n")).unwrap();
    config::load_at(&file, NOW)
}

/// What the ledger `text` is read as; panics with the findings where it is refused.
#[track_caller]
fn good(text: &str) -> (Ledger, Vec<Diagnostic>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ledger.yml"), text).unwrap();
    match load(folder.path(), "ledger.yml") {
        Ok(loaded) => ((*loaded.config.ledger).clone(), loaded.warnings),
        Err(findings) => panic!("{findings:#?}"),
    }
}

#[test]
fn lists_keep_the_order_of_the_files_and_notices_come_in_the_order_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger.d");
    fs::create_dir(&ledger).unwrap();
    let incident = |id: &str| {
        format!(
            "- {{id: {id}, title: t, functions: f, started_at: 2026-10-01T00:00:00Z, resolved_at: 2026-10-01T01:00:00Z, cause: internal}}\n"
        )
    };
    fs::write(ledger.join("b.yml"), format!("incidents:\n{}", incident("three"))).unwrap();
    fs::write(ledger.join("a.yaml"), format!("incidents:\n{}{}", incident("two"), incident("one"))).unwrap();
    let loaded = load(folder.path(), "ledger.d").unwrap();
    let ids: Vec<&str> = loaded.config.ledger.incidents.iter().map(|incident| incident.id.as_str()).collect();
    assert_eq!(ids, ["two", "one", "three"]);
    assert_eq!(loaded.config.ledger_path.as_deref(), Some(ledger.as_path()));
    // The folder itself too: a file that is added is a change.
    let files: Vec<_> =
        ["ledger.d", "ledger.d/a.yaml", "ledger.d/b.yml", "sla.yml"].map(|f| folder.path().join(f)).into();
    assert_eq!(loaded.config.files, files);

    let (ledger, _) = good(
        "maintenance:\n- id: m\n  title: t\n  functions: f\n  start: 2027-10-01T00:00:00Z\n  end: 2027-10-01T01:00:00Z\n  announced_at: 2026-10-01T00:00:00Z\n  notices: [{at: 2026-10-03T00:00:00Z, channel: page}, {at: 2026-10-01T00:00:00Z, channel: mail}]\n",
    );
    let channels: Vec<&str> = ledger.maintenance[0].notices.iter().map(|notice| notice.channel.word()).collect();
    assert_eq!(channels, ["mail", "page"]);
}

#[test]
fn an_empty_folder_and_an_absent_ledger_are_ledgers_without_entries() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("ledger.d")).unwrap();
    for (named, path) in [("ledger.d", Some("ledger.d")), ("", None), ("~", None), ("''", None)] {
        let loaded = load(folder.path(), named).unwrap();
        assert!(loaded.config.ledger.is_empty());
        assert_eq!(loaded.config.ledger_path, path.map(|path| folder.path().join(path)), "{named}");
        assert_eq!(loaded.warnings, []);
    }
}

/// The place is that of the file that is to be mended: it is the one that is watched.
#[test]
fn a_file_that_cannot_be_read_is_named_and_the_others_faults_are_said_too() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("ledger.d")).unwrap();
    fs::write(at("ledger.d/a.yml"), b"drills:\n- text: \x95\x9c\x8b\x8c\n").unwrap();
    fs::write(at("ledger.d/b.yml"), "drill: []\n").unwrap();
    std::os::unix::fs::symlink("nowhere", at("ledger.d/c.yml")).unwrap();
    let findings = load(folder.path(), "ledger.d").unwrap_err();
    let said: Vec<String> =
        findings.iter().map(|f| f.to_string().replace(&format!("{}/", folder.path().display()), "")).collect();
    assert_eq!(
        said,
        [
            "ledger.d/b.yml:1:1: drill: unknown key `drill`; accepted here: maintenance, incidents, drills, advisories (did you mean `drills`?)",
            "ledger.d/a.yml: cannot read it: it is not UTF-8 on line 2; sla.yml:11 names it",
            "ledger.d/c.yml: cannot read it: No such file or directory (os error 2); sla.yml:11 names it",
        ]
    );
    let findings = load(folder.path(), "none.yml").unwrap_err();
    assert_eq!(findings[0].file, at("none.yml"));
}

/// Where the contract is refused, its ledger's functions are not blamed for it.
#[test]
fn a_contract_that_is_refused_leaves_the_ledgers_own_faults_to_be_found() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("ledger.yml"),
        "incidents: [{id: i, title: t, functions: x, started_at: 2026-10-01T00:00:00Z, resolved_at: 2026-09-01T00:00:00Z}]\n",
    )
    .unwrap();
    fs::write(
        folder.path().join("sla.yml"),
        format!("{}ledger: ledger.yml\n", CONTRACT.replace("objective: 99", "objective: 101")),
    )
    .unwrap();
    let findings = config::load_at(&folder.path().join("sla.yml"), NOW).unwrap_err();
    let paths: Vec<&str> = findings.iter().map(|finding| finding.path.as_str()).collect();
    assert_eq!(
        paths,
        ["contract.functions.f.objective", "contract.functions.g.objective", "incidents[0].resolved_at"],
        "{findings:#?}"
    );
}

/// Nothing in reading entries may grow with the square of their number, overlaps included.
#[test]
fn ten_thousand_entries_are_read_in_a_moment() {
    let mut text = "incidents:\n".to_owned();
    for i in 0..10_000u32 {
        // All of one cause and function, and half of them in the first one's time.
        let hour = i % 24;
        let day = 1 + i / 24 % 28;
        writeln!(
            text,
            "  - {{id: i{i}, title: {{ja: 障害, en: Failure}}, functions: [f, g], cause: internal, started_at: 2026-{:02}-{day:02}T{hour:02}:00:00+09:00, resolved_at: 2026-{:02}-{day:02}T{hour:02}:30:00+09:00}}",
            1 + i / 672 % 10,
            1 + i / 672 % 10,
        )
        .unwrap();
    }
    #[allow(clippy::disallowed_methods)] // nothing here runs on tokio's clock
    let started = Instant::now();
    let (ledger, warnings) = good(&text);
    let took = started.elapsed();
    assert_eq!(ledger.incidents.len(), 10_000);
    // 6720 different hours: the rest shares its time with another. A thousand are listed.
    assert_eq!(warnings.len(), 1001);
    assert_eq!(warnings[1000].message, "and 2280 more findings");
    // Without optimisation on a busy machine; the square of ten thousand would take minutes.
    assert!(took < Duration::from_secs(20), "{took:?}");
    println!("10 000 entries in {took:?}");
}

/// An incident of a random ledger: function, whether it is a false alarm (else internal), start and end in minutes; no end:
/// it goes on.
type Short = (bool, bool, i64, Option<i64>);

fn incidents() -> impl Strategy<Value = Vec<Short>> {
    let one = (any::<bool>(), any::<bool>(), 0i64..60, proptest::option::weighted(0.9, 1i64..20));
    proptest::collection::vec(one, 0..8)
}

fn moment(minutes: i64) -> String {
    format!("2026-11-20T{:02}:{:02}:00Z", minutes / 60, minutes % 60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Beside a comparison of each pair: a contradiction is refused and a double is mentioned, exactly where there is one.
    #[test]
    fn overlaps_are_found_as_by_comparing_each_pair(incidents in incidents()) {
        let mut text = "incidents:\n".to_owned();
        for (i, (function, up, start, length)) in incidents.iter().enumerate() {
            let cause = if *up { "false_alarm" } else { "internal" };
            let function = if *function { "f" } else { "g" };
            let end = length.map_or_else(String::new, |l| format!(", resolved_at: {}", moment(start + l)));
            let decided = "decided: {by: x, at: 2026-11-21T00:00:00Z}";
            writeln!(
                text,
                "- {{id: i{i}, title: t, functions: {function}, cause: {cause}, {decided}, started_at: {}{end}}}",
                moment(*start)
            ).unwrap();
        }
        if incidents.is_empty() {
            text.push_str("  []\n");
        }
        let end = |incident: &Short| incident.3.map_or(i64::MAX, |length| incident.2 + length);
        let meets = |a: &Short, b: &Short| a.0 == b.0 && a.2 < end(b) && b.2 < end(a);
        // Indices of entries that meet another of the other kind, or of their own.
        let having = |same: bool| -> BTreeSet<usize> {
            let other = |i: usize, j: usize| i != j && (incidents[i].1 == incidents[j].1) == same && meets(&incidents[i], &incidents[j]);
            (0..incidents.len()).filter(|&i| (0..incidents.len()).any(|j| other(i, j))).collect()
        };
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ledger.yml"), &text).unwrap();
        let (findings, refused) = match load(folder.path(), "ledger.yml") {
            Ok(loaded) => (loaded.warnings, false),
            Err(findings) => (findings, true),
        };
        prop_assert_eq!(refused, !having(false).is_empty(), "{}\n{:#?}", text, findings);
        for (severity, expected) in [(Severity::Error, having(false)), (Severity::Warning, having(true))] {
            // A finding names two entries: the one it is about by its path, the other by its id.
            let mut named = BTreeSet::new();
            for finding in findings.iter().filter(|f| f.severity == severity && f.message.contains("shares time")) {
                let about = finding.path.trim_start_matches("incidents[").split(']').next().unwrap();
                let other = finding.message.split("`i").nth(1).unwrap().split('`').next().unwrap();
                named.extend([about.parse::<usize>().unwrap(), other.parse().unwrap()]);
            }
            prop_assert!(named.is_subset(&expected), "{}\n{:#?}", text, findings);
            prop_assert_eq!(named.is_empty(), expected.is_empty(), "{}\n{:#?}", text, findings);
        }
    }

    #[test]
    fn no_edit_of_the_shipped_ledger_panics_or_is_reported_outside_of_it(edits in edits()) {
        let text = apply(&fs::read_to_string("../config/ledger.yml").unwrap(), &edits);
        let folder = tempfile::tempdir().unwrap();
        let (file, ledger) = (folder.path().join("sla.yml"), folder.path().join("ledger.yml"));
        fs::copy("../config/sla.yml", &file).unwrap();
        fs::write(&ledger, &text).unwrap();
        match config::load_at(&file, NOW) {
            Ok(loaded) => check_places(&text, &ledger, &loaded.warnings)?,
            Err(findings) => {
                prop_assert!(findings.iter().any(|finding| finding.severity == Severity::Error));
                check_places(&text, &ledger, &findings)?;
            }
        }
    }
}

/// Nothing is odd about the shipped example, which shows an entry of every kind.
#[test]
fn the_shipped_ledger_is_an_example_of_everything() {
    let loaded =
        config::load_at(Path::new("../config/sla.yml"), NOW).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let about: Vec<_> = loaded.warnings.iter().filter(|warning| warning.file.ends_with("ledger.yml")).collect();
    assert!(about.is_empty(), "{about:?}");
    let Ledger { maintenance, incidents, drills, advisories } = &*loaded.config.ledger;
    let causes: BTreeSet<&str> = incidents.iter().filter_map(|i| i.cause.as_ref().map(Cause::word)).collect();
    assert_eq!(causes, BTreeSet::from(["internal", "upstream", "force_majeure", "false_alarm"]));
    assert!(
        maintenance.iter().any(|stop| stop.emergency) && maintenance.iter().any(|stop| stop.cancelled_at.is_some())
    );
    assert!(!drills.is_empty() && !advisories.is_empty());
}

/// What `check` says of ledgers on their own: the exit code and both streams.
fn check(name: &str) -> (u8, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let path = Path::new("testdata/config").join(name);
    let code = config::check::run(&[path], false, NOW, &mut out, &mut err);
    (code, String::from_utf8([err, out].concat()).unwrap().replace("testdata/config/", ""))
}

/// A list's misspelt name does not make a ledger a configuration without a contract.
#[test]
fn a_ledger_or_a_folder_of_it_can_be_checked_without_its_contract() {
    let needs_more = "its functions, upstreams and terms are checked with the configuration that names it";
    assert_eq!(
        check("ledger-folder"),
        (
            0,
            format!("ledger-folder: ok: ledger with 0 maintenance, 1 incident, 0 drills, 0 advisories; {needs_more}\n")
        )
    );
    // Unknown functions and terms are the contract's matter; what contradicts itself is not.
    let (code, said) = check("ledger-bad-names.yml");
    assert!(code == 1 && !said.contains("clinet") && said.contains("is listed twice"), "{said}");
    assert_eq!(check("ledger-undecided.yml").1.matches("nobody has decided").count(), 3);
    let (code, said) = check("ledger-twice");
    assert!(
        code == 1 && said.contains("ledger-twice/b.yml:2:10: advisories[0].id: `x` is maintenance[0].id already"),
        "{said}"
    );
    let (code, said) = check("ledger-wrong.yml");
    assert!(code == 1 && said.contains("unknown key `incident`; accepted here: maintenance, incidents"), "{said}");
    let (code, said) = check("no-such-folder/");
    assert_eq!((code, said.lines().count()), (1, 2), "{said}");
}

/// Both sides of each moment at which a warning about a stop begins or ends to be said.
#[test]
fn warnings_of_stops_come_in_time_and_go_with_the_open_months() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sla.yml");
    let said = |ledger: &str, now: &str| {
        fs::write(folder.path().join("ledger.yml"), ledger).unwrap();
        fs::write(&file, format!("{CONTRACT}ledger: ledger.yml\n")).unwrap();
        let now = now.parse::<jiff::Timestamp>().unwrap().as_second();
        let loaded = config::load_at(&file, now).unwrap_or_else(|findings| panic!("{findings:#?}"));
        loaded.warnings.iter().map(|warning| warning.message.clone()).collect::<Vec<_>>().join("\n")
    };
    let stop = |times: &str| format!("maintenance: [{{id: m, title: t, functions: f, {times}}}]\n");
    let plan = "start: 2026-11-20T21:00:00+09:00, end: 2026-11-21T01:00:00+09:00";
    let silent = stop(plan);
    // Fourteen days ahead there is still time to announce it; a second later there is not.
    assert_eq!(said(&silent, "2026-11-06T21:00:00+09:00"), "");
    let late = "the stop is not announced, and for the 14d asked it is too late: it counts and is not excluded (C4.1i)";
    assert_eq!(said(&silent, "2026-11-06T21:00:01+09:00"), late);
    assert_eq!(said(&silent, "2026-11-20T20:59:59+09:00"), late);
    let never = "the stop was not announced: it counts and is not excluded (C4.1i)";
    assert_eq!(said(&silent, "2026-11-20T21:00:00+09:00"), never);
    // November is open, as the month before, until the end of December in the contract's zone.
    assert_eq!(said(&silent, "2026-12-31T23:59:59+09:00"), never);
    assert_eq!(said(&silent, "2027-01-01T00:00:00+09:00"), "");
    // A stop that ends with the month belongs to that month alone.
    let edge = |end: &str| stop(&format!("start: 2026-11-30T21:00:00+09:00, end: {end}"));
    assert_eq!(said(&edge("2026-12-01T00:00:00+09:00"), "2027-01-01T00:00:00+09:00"), "");
    assert_eq!(said(&edge("2026-12-01T00:00:01+09:00"), "2027-01-01T00:00:00+09:00"), never);
    // An emergency, and what was called off, are never reproached.
    for more in ["emergency: true", "cancelled_at: 2026-11-19T00:00:00Z"] {
        assert_eq!(said(&stop(&format!("{plan}, {more}")), "2026-11-22T00:00:00Z"), "");
    }
    // A slip of the keyboard: two years ahead, a week long, and a second more of either.
    let far = |end: &str| {
        stop(&format!("start: 2028-11-20T00:00:00Z, end: 2028-11-{end}, announced_at: 2026-11-01T00:00:00Z"))
    };
    assert_eq!(said(&far("27T00:00:00Z"), "2026-11-21T00:00:00Z"), "");
    let slips = said(&far("27T00:00:01Z"), "2026-11-20T23:59:59Z");
    assert_eq!(
        slips,
        "the stop is 730 days ahead; is its year right?\nthe stop takes 7 days; are day and month right?"
    );
    // Ten minutes of a clock that goes wrong are none.
    let told = stop(&format!("{plan}, announced_at: 2026-11-02T00:10:00Z"));
    assert_eq!(said(&told, "2026-11-02T00:00:00Z"), "");
    assert!(said(&told, "2026-11-01T23:59:59Z").contains("it is in the future, by 10m1s"));
}
