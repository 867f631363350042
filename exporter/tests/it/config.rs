//! Configuration files as an operator writes them, good and bad: the whole text of what is said about each.
//!
//! `testdata/config` is listed, so a case is two files: `invalid-…`, `warns-…` or `good-…` `.yml`, and the expected
//! text beside it. `UPDATE=1` rewrites the texts; the difference is to be read as code.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use sla_exporter::config::{self, Config, Diagnostic, Severity};
use sla_exporter::contract::Quorum;

/// Relative to the crate's folder, which is where tests run: file names in messages are the same everywhere.
const FOLDER: &str = "testdata/config";
const SHIPPED: &str = "../config/sla.yml";
/// 2026-11-23T00:00:00Z: what is said of a ledger depends on the time.
pub(crate) const NOW: i64 = 1_795_392_000;

fn cases(prefix: &str) -> Vec<PathBuf> {
    let names = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path());
    let wanted = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(prefix) && name.ends_with(".yml")
    };
    let mut cases: Vec<PathBuf> = names.filter(wanted).collect();
    cases.sort();
    assert!(!cases.is_empty(), "{FOLDER} has no {prefix}*.yml");
    cases
}

/// What `check` says about `file`: the exit code, and both streams without the folder.
fn check(file: &Path, deny_warnings: bool) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = config::check::run(&[file.to_owned()], deny_warnings, NOW, &mut out, &mut err);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&format!("{FOLDER}/"), "");
    (code, text(out), text(err))
}

#[track_caller]
fn compare(expected: &Path, found: &str, wrong: &mut Vec<String>) {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(expected, found).unwrap();
        return;
    }
    let text = fs::read_to_string(expected).unwrap_or_default();
    if text != found {
        wrong.push(format!("{}\n--- expected\n{text}--- found\n{found}", expected.display()));
    }
}

/// What config/sla.yml shows in comments, as a user has it who takes the marks away: keys with what belongs to them, and probes,
/// which are put to the others.
fn taken_in(text: &str) -> (String, Vec<String>) {
    let is_key = |rest: &str| {
        rest.split_once(':').is_some_and(|(key, value)| {
            key.chars().all(|c| c.is_ascii_lowercase() || c == '_') && (value.trim().is_empty() || value.contains('{'))
        })
    };
    let (mut whole, mut probes, mut taken, mut within) = (Vec::new(), String::new(), Vec::new(), false);
    for line in text.lines() {
        let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
        let Some(rest) = rest.strip_prefix("# ") else {
            within = false;
            whole.push(line.to_owned());
            continue;
        };
        if rest.starts_with("  - {name:") && !within {
            probes.push_str(&format!("{rest}\n"));
            continue;
        }
        within = is_key(rest) || (within && rest.starts_with("  "));
        if is_key(rest) {
            taken.push(rest.split_once(':').unwrap().0.to_owned());
        }
        whole.push(if within { format!("{indent}{rest}") } else { line.to_owned() });
    }
    let whole = whole.join("\n").replace("\nprobes:\n", &format!("\nprobes:\n{probes}"));
    (whole, taken)
}

#[test]
fn what_the_shipped_file_shows_in_comments_is_right() {
    let (text, taken) = taken_in(&fs::read_to_string(SHIPPED).unwrap());
    assert_eq!(taken, ["grafana", "login", "virus_scanner", "backups", "certificates", "updates", "tickets", "logins"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sla.yml");
    fs::write(&file, text).unwrap();
    fs::copy("../config/ledger.yml", folder.path().join("ledger.yml")).unwrap();
    fs::create_dir(folder.path().join("secrets")).unwrap();
    for secret in ["grafana-token", "postgres-monitor", "app-password"] {
        fs::write(folder.path().join("secrets").join(secret), "secret").unwrap();
    }
    let (code, out, err) = check(&file, false);
    // It stands in for another module, where a user wants that.
    let said: Vec<&str> =
        err.lines().filter(|line| !line.ends_with("modules.login: no probe uses this module")).collect();
    assert_eq!((code, said), (0, Vec::new()), "{out}");
    let (_, shipped, _) = check(Path::new(SHIPPED), false);
    let probes = |said: &str| said.split_once(" probes").unwrap().0.rsplit(' ').next().unwrap().parse::<u32>().unwrap();
    assert_eq!(probes(&out), probes(&shipped) + 1, "{out}");
}

#[test]
fn each_bad_file_is_refused_with_the_whole_text_beside_it() {
    let mut wrong = Vec::new();
    let cases = cases("invalid-");
    for case in &cases {
        let (code, out, err) = check(case, false);
        assert_eq!((code, out.as_str()), (1, ""), "{} is accepted", case.display());
        compare(&case.with_extension("txt"), &err, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}\nUPDATE=1 rewrites them", wrong.join("\n"));
    assert!(cases.len() >= 30, "{} cases", cases.len());
}

#[test]
fn each_odd_file_is_accepted_with_the_warnings_beside_it_and_refused_where_warnings_are_denied() {
    let mut wrong = Vec::new();
    for case in cases("warns-") {
        let (code, out, err) = check(&case, false);
        assert_eq!(code, 0, "{} is refused: {err}", case.display());
        compare(&case.with_extension("txt"), &format!("{err}{out}"), &mut wrong);
        let (code, out, err) = check(&case, true);
        assert_eq!((code, out.as_str()), (1, ""), "{}", case.display());
        assert!(err.contains("(--deny-warnings)"), "{err}");
    }
    assert!(wrong.is_empty(), "{}\nUPDATE=1 rewrites them", wrong.join("\n"));
}

#[test]
fn each_good_file_is_accepted_without_a_word_but_its_summary() {
    let mut wrong = Vec::new();
    for case in cases("good-") {
        let (code, out, err) = check(&case, false);
        assert_eq!((code, err.as_str()), (0, ""), "{}", case.display());
        compare(&case.with_extension("txt"), &out, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}\nUPDATE=1 rewrites them", wrong.join("\n"));
}

#[test]
fn no_message_shows_a_password() {
    for case in cases("invalid-") {
        let text = check(&case, false).2;
        assert!(!text.contains("hunter2"), "{}: {text}", case.display());
    }
}

fn load(text: &str) -> Result<Config, Vec<Diagnostic>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sla.yml");
    fs::write(&file, text).unwrap();
    config::load(&file).map(|loaded| loaded.config)
}

const LEAST: &str =
    "site: s\ncontract: {name: c, timezone: UTC, functions: {f: {objective: 99, capabilities: {a: }}}}\n";

#[test]
fn the_embedded_default_is_a_good_configuration() {
    for (listen, tls, url) in [
        ("0.0.0.0:10115", false, "http://127.0.0.1:10115/-/healthy"),
        ("[::]:10115", true, "https://[::1]:10115/-/healthy"),
        ("192.0.2.1:80", false, "http://192.0.2.1:80/-/healthy"),
    ] {
        let loaded = config::embedded(listen.parse().unwrap(), tls).unwrap();
        assert_eq!(loaded.warnings, []);
        let evidence: Vec<&str> =
            loaded.config.targets.iter().filter(|t| t.evidence.is_some()).map(|t| t.target.as_str()).collect();
        assert_eq!(evidence, [url]);
        assert!(loaded.config.files.is_empty());
    }
}

/// C2.1, C4.1, C4.2: the contract this product was made for.
#[test]
fn the_shipped_configuration_is_the_contract() {
    let loaded = config::load(Path::new(SHIPPED)).unwrap_or_else(|findings| {
        panic!("{}", findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    // Its secrets are not shipped; nothing else is odd about it.
    let odd: Vec<_> = loaded.warnings.iter().filter(|w| !w.message.contains("secret file")).collect();
    assert!(odd.is_empty(), "{odd:?}");
    let contract = &loaded.config.contract;
    let functions: Vec<_> = contract.functions.iter().map(|f| (f.name.as_str(), f.objective)).collect();
    assert_eq!(functions, [("client", 0.99), ("consumer", 0.99)]);
    let hours = |h: u64| Some(Duration::from_secs(h * 3600));
    assert_eq!(contract.functions[0].maintenance_limit, hours(8));
    assert_eq!(contract.functions[1].maintenance_limit, hours(4));
    assert_eq!(contract.functions[1].capabilities.len(), 2);
    assert_eq!(Some(contract.maintenance.notice), hours(14 * 24));
    assert!(loaded.config.targets.iter().all(|target| target.interval <= Duration::from_secs(300)));
    let references = loaded.config.targets.iter().filter(|target| target.reference).count();
    assert_eq!(references, 2);
}

/// The blocks marked as YAML in a document, without the indentation a list gives them.
fn yaml_blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "```yaml" {
            let indent = line.len() - line.trim_start().len();
            let block = lines.by_ref().take_while(|line| line.trim() != "```");
            blocks.push(block.map(|line| line.get(indent..).unwrap_or_default().to_owned() + "\n").collect());
        }
    }
    blocks
}

#[test]
fn the_readme_shows_good_configurations() {
    let blocks = yaml_blocks(&fs::read_to_string("../README.md").unwrap());
    let whole: Vec<_> = blocks.iter().filter(|block| block.starts_with("site:")).collect();
    assert!(!whole.is_empty());
    for block in whole {
        load(block).unwrap_or_else(|findings| panic!("{block}\n{}", findings[0]));
    }
}

/// Of every prober: what its page shows can be written into a file. The certificates it names are not there.
#[test]
fn the_pages_of_the_probers_show_good_modules() {
    for page in fs::read_dir("../docs/modules").unwrap() {
        let page = page.unwrap().path();
        let blocks = yaml_blocks(&fs::read_to_string(&page).unwrap());
        let modules: Vec<_> = blocks.iter().filter(|block| block.starts_with("modules:")).collect();
        assert!(!modules.is_empty(), "{} shows no module", page.display());
        for block in modules {
            let findings = load(&format!("{LEAST}{block}")).err().unwrap_or_default();
            let wrong = |f: &&Diagnostic| f.severity == Severity::Error && !f.message.contains("No such file");
            assert_eq!(findings.iter().find(wrong), None, "{}\n{block}", page.display());
        }
    }
}

#[test]
fn the_reference_shows_what_check_says_of_the_shipped_configuration() {
    let (code, out, err) = check(Path::new(SHIPPED), false);
    assert_eq!(code, 0, "{err}");
    let reference = fs::read_to_string("../docs/configuration.md").unwrap();
    let line = out.replace("../config/", "");
    assert!(reference.contains(&line), "docs/configuration.md does not have: {line}");
}

#[test]
fn a_target_is_about_the_host_it_names() {
    let config = load(&format!(
        "{LEAST}modules: {{web: {{prober: http}}, tcp: {{prober: tcp}}}}\n\
         hosts: [{{name: web1, address: 10.0.0.1}}, {{name: web2, address: web2.example.com}}, {{name: v6, address: \"2001:db8:0::1\"}}]\n\
         probes:\n\
         - {{name: a, module: web, targets: [\"http://10.0.0.1:8080/x\", \"https://WEB2.example.com/\", \"http://[2001:db8::1]/\", \"http://web1/\", \"http://10.0.0.11/\"]}}\n\
         - {{name: b, module: tcp, targets: [\"10.0.0.1:25\", \"web2:25\"]}}\n"
    ))
    .unwrap();
    let hosts: Vec<_> = config.targets.iter().map(|t| t.host.as_deref()).collect();
    assert_eq!(hosts, [Some("web1"), Some("web2"), Some("v6"), Some("web1"), None, Some("web1"), Some("web2")]);
}

#[test]
fn texts_and_numbers_are_read_as_written() {
    let config = load(
        "site: 東京\ncontract:\n  name: c\n  title: one\n  timezone: Europe/Berlin\n  start: 2026-09-01\n  maintenance: {notice: 1w, slot: {from: sat 00:00, to: \"Sunday 23:59\"}}\n  functions:\n    f: {title: {ja: あ, en: a}, objective: 99.9, capabilities: {a: , b: {quorum: any}, c: {quorum: 0.67}, d: {quorum: 1}}}\n",
    )
    .unwrap();
    let contract = &config.contract;
    assert_eq!((config.site.as_str(), contract.title.ja.as_str(), contract.title.en.as_str()), ("東京", "one", "one"));
    assert_eq!(contract.start, Some(jiff::civil::date(2026, 9, 1)));
    assert_eq!(contract.maintenance.notice, Duration::from_secs(7 * 86_400));
    let f = &contract.functions[0];
    assert_eq!((f.title.ja.as_str(), f.title.en.as_str()), ("あ", "a"));
    assert!((f.objective - 0.999).abs() < f64::EPSILON / 2.0, "{}", f.objective);
    let quorums: Vec<_> = f.capabilities.iter().map(|c| c.quorum).collect();
    assert_eq!(quorums, [Quorum::All, Quorum::Any, Quorum::Ratio(0.67), Quorum::Ratio(1.0)]);
    assert_eq!(f.capabilities[1].title.ja, "b");
}

#[test]
fn collectors_are_all_but_textfile_unless_listed() {
    let config = load(LEAST).unwrap();
    let expected: Vec<_> = sla_exporter::host::NAMES.iter().filter(|name| **name != "textfile").collect();
    assert_eq!(config.collectors.enabled.iter().collect::<Vec<_>>(), expected);
    assert_eq!(config.collectors.textfile_directory, None);
    let config = load(&format!("{LEAST}collectors: [load, textfile: {{directory: /tmp}}]\n")).unwrap();
    assert_eq!(config.collectors.enabled, ["load", "textfile"]);
    assert_eq!(config.collectors.textfile_directory, Some(PathBuf::from("/tmp")));
    let config = load(&format!("{LEAST}collectors: []\n")).unwrap();
    assert!(config.collectors.enabled.is_empty());
}

const TWO_PROBES: &str = "modules: {m: {prober: icmp, timeout: 3s}, n: {prober: icmp, timeout: 4s}}\n\
     probes:\n\
     - {name: a, module: m, targets: [10.0.0.1], interval: 60s}\n\
     - {name: b, module: n, targets: [10.0.0.2], interval: 60s}\n";

fn fingerprints(text: &str) -> Vec<u64> {
    load(text).unwrap().targets.iter().map(|target| target.fingerprint).collect()
}

#[test]
fn a_fingerprint_changes_with_everything_a_running_probe_was_started_with_and_nothing_else() {
    let base = format!("{LEAST}{TWO_PROBES}");
    let before = fingerprints(&base);
    assert_ne!(before[0], before[1]);
    assert_eq!(fingerprints(&format!("# a comment\n{base}")), before);
    assert_eq!(fingerprints(&base.replace("{m:", "{m: ")), before);
    for (from, to) in [
        ("timeout: 3s", "timeout: 5s"),
        ("name: a,", "name: z,"),
        ("10.0.0.1], interval: 60s", "10.0.0.1], interval: 61s"),
        ("10.0.0.1], ", "10.0.0.1], attempts: 2, "),
        ("10.0.0.1], ", "10.0.0.1], evidence: f/a, "),
        ("modules:", "hosts: [{name: h, address: 10.0.0.1}]\nmodules:"),
        ("timezone: UTC", "connectivity: [a], timezone: UTC"),
    ] {
        let after = fingerprints(&base.replacen(from, to, 1));
        assert_ne!(after[0], before[0], "{from} to {to}");
        assert_eq!(after[1], before[1], "{from} to {to}");
    }
    for (from, to) in [("site: s", "site: t"), ("{name: c", "{name: d")] {
        let after = fingerprints(&base.replacen(from, to, 1));
        assert!(after[0] != before[0] && after[1] != before[1], "{from} to {to}");
    }
}

fn certificate() -> String {
    rcgen::generate_simple_self_signed(["a.example.com".to_owned()]).unwrap().cert.pem()
}

#[test]
fn a_renewed_certificate_file_is_a_change_of_the_probes_that_use_it() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let text = format!(
        "{LEAST}modules:\n  m: {{prober: tcp, tcp: {{tls: true, tls_config: {{ca_file: ca.pem}}}}}}\n  n: {{prober: tcp}}\n\
         probes: [{{name: p, module: m, targets: [\"127.0.0.1:1\"]}}, {{name: q, module: n, targets: [\"127.0.0.1:1\"]}}]\n"
    );
    fs::write(folder.path().join("sla.yml"), text).unwrap();
    let read = || {
        let config = config::load(&folder.path().join("sla.yml")).unwrap().config;
        assert!(config.files.contains(&ca), "{:?}", config.files);
        config.targets.iter().map(|target| target.fingerprint).collect::<Vec<_>>()
    };
    fs::write(&ca, certificate()).unwrap();
    let before = read();
    assert_eq!(read(), before);
    fs::write(&ca, certificate()).unwrap();
    let after = read();
    assert_ne!(after[0], before[0]);
    assert_eq!(after[1], before[1]);
}

#[test]
fn a_rotated_secret_is_no_change_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("pass");
    let file = folder.path().join("sla.yml");
    let text = format!(
        "{LEAST}modules: {{m: {{prober: http, http: {{basic_auth: {{username: u, password_file: pass}}}}}}}}\n\
         probes: [{{name: p, module: m, targets: [\"http://127.0.0.1/\"], evidence: f/a}}]\n"
    );
    fs::write(&file, text).unwrap();
    let missing = config::load(&file).unwrap();
    assert_eq!(missing.warnings.len(), 1, "{:?}", missing.warnings);
    fs::write(&secret, "hunter2\n").unwrap();
    let there = config::load(&file).unwrap();
    assert_eq!(there.warnings, []);
    assert_eq!(there.config.targets[0].fingerprint, missing.config.targets[0].fingerprint);
    assert_eq!(there.config.files, [file]);
    assert!(!format!("{there:?}").contains("hunter2"));
}

#[test]
fn what_cannot_be_read_is_said_without_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let said = |name: &str| {
        let findings = config::load(&path(name)).unwrap_err();
        assert_eq!(findings.len(), 1, "{findings:?}");
        findings[0].to_string().replace(&format!("{}/", folder.path().display()), "")
    };
    assert_eq!(said("none.yml"), "none.yml: cannot read it: No such file or directory (os error 2)");
    fs::create_dir(path("folder")).unwrap();
    assert_eq!(said("folder"), "folder: cannot read it: it is a directory, expected a file");
    fs::write(path("latin"), b"site: s\n# caf\xe9\n").unwrap();
    assert_eq!(said("latin"), "latin: cannot read it: it is not UTF-8 on line 2");
    assert!(std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    assert_eq!(said("pipe"), "pipe: cannot read it: it is not a regular file");
    fs::File::create(path("huge")).unwrap().set_len(100 << 20).unwrap();
    assert_eq!(said("huge"), "huge: cannot read it: it is larger than 16777216 bytes");
}

#[test]
fn a_module_file_with_its_secrets_inline_is_taken_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("sla.yml"), format!("{LEAST}module_files: [sub/blackbox.yml]\n")).unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(
        folder.path().join("sub/blackbox.yml"),
        "modules:\n  m:\n    prober: http\n    http:\n      basic_auth: {username: u, password: hunter2}\n",
    )
    .unwrap();
    let loaded = config::load(&folder.path().join("sla.yml")).unwrap();
    assert_eq!(loaded.config.modules.len(), 1);
    assert!(!format!("{loaded:?}").contains("hunter2"));
    assert!(loaded.config.files.contains(&folder.path().join("sub/blackbox.yml")));
}

#[test]
fn check_tells_kinds_of_files_apart_and_one_bad_file_fails_all() {
    let file = |name: &str| Path::new(FOLDER).join(name);
    let files =
        [file("good-aliases.yml"), file("ledger-entries.yml"), file("modules-ping.yml"), file("modules-unknown.yml")];
    let (mut out, mut err) = (Vec::new(), Vec::new());
    assert_eq!(config::check::run(&files[..3], true, NOW, &mut out, &mut err), 0);
    assert_eq!(String::from_utf8(err).unwrap(), "");
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("ledger-entries.yml: ok: ledger with 1 maintenance, 2 incidents, "), "{out}");
    assert!(out.contains("modules-ping.yml: ok: 1 module\n"), "{out}");
    assert_eq!(config::check::run(&files, false, NOW, &mut Vec::new(), &mut Vec::new()), 1);
}

/// Ten thousand targets in probes of their own: nothing in reading them may grow with the square of their number.
#[test]
fn ten_thousand_probes_are_read_in_a_moment() {
    use std::fmt::Write as _;
    let mut text = format!("{LEAST}modules: {{m: {{prober: icmp, timeout: 3s}}}}\nprobes:\n");
    for i in 0..10_000 {
        writeln!(text, "  - {{name: p{i}, module: m, targets: [10.0.{}.{}]}}", i / 250, i % 250 + 1).unwrap();
    }
    text += "hosts:\n";
    for i in 0..10_000 {
        writeln!(text, "  - {{name: h{i}, address: 10.0.{}.{}}}", i / 250, i % 250 + 1).unwrap();
    }
    #[allow(clippy::disallowed_methods)] // nothing here runs on tokio's clock
    let started = Instant::now();
    let config = load(&text).unwrap();
    assert_eq!((config.targets.len(), config.hosts.len()), (10_000, 10_000));
    assert!(config.targets.iter().all(|target| target.host.is_some()));
    // Without optimisation on a busy machine; the square of ten thousand would take minutes.
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    println!("10 000 probes and hosts in {:?}", started.elapsed());
}

#[test]
fn ten_thousand_faults_are_found_quickly_and_listed_up_to_a_thousand() {
    use std::fmt::Write as _;
    let mut text = format!("{LEAST}modules:\n");
    for i in 0..5_000 {
        writeln!(text, "  m{i}: {{prober: icmp, timeout: 3s}}").unwrap();
    }
    text += "probes:\n";
    for i in 0..10_000 {
        writeln!(text, "  - {{name: p{i}, module: n{i}, targets: [10.0.0.1], evidence: g/h}}").unwrap();
    }
    let findings = load(&text).unwrap_err();
    // Twenty thousand, of which a thousand are listed.
    assert_eq!(findings.len(), 1001);
    assert!(findings[1000].message.contains(" more findings"), "{}", findings[1000]);
    assert!(findings.iter().all(|finding| finding.message.len() < 400));
}

/// No finding stands outside of its file.
pub(crate) fn check_places(text: &str, file: &Path, findings: &[Diagnostic]) -> Result<(), TestCaseError> {
    let lines: Vec<&str> = text.split('\n').collect();
    for finding in findings.iter().filter(|finding| finding.file == file && finding.mark.line > 0) {
        let mark = finding.mark;
        // The end of the text is a place too: that is where something is missing.
        prop_assert!(mark.line <= lines.len() + 1, "{finding}: the file has {} lines", lines.len());
        let length = lines.get(mark.line - 1).map_or(0, |line| line.chars().count());
        prop_assert!((1..=length + 2).contains(&mark.column), "{finding}: the line has {length} characters");
    }
    Ok(())
}

/// One thing a hand or a bad merge does to a file.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    DropLine(usize),
    DoubleLine(usize),
    Indent(usize),
    Cut(usize),
    Insert(usize, String),
    Replace(usize, String),
}

pub(crate) fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let piece = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just(": ".to_owned()),
        Just("- ".to_owned()),
        Just("&a ".to_owned()),
        Just("*a".to_owned()),
        Just("<<: ".to_owned()),
        Just("\"".to_owned()),
        Just("|\n".to_owned()),
        Just("\t".to_owned()),
        Just("\u{0}".to_owned()),
        Just("\r\n".to_owned()),
        Just("99999999999999999999".to_owned()),
        Just("-1".to_owned()),
        Just("~".to_owned()),
        "\\PC{1,8}",
    ];
    let at = 0usize..100_000;
    let edit = prop_oneof![
        at.clone().prop_map(Edit::DropLine),
        at.clone().prop_map(Edit::DoubleLine),
        at.clone().prop_map(Edit::Indent),
        at.clone().prop_map(Edit::Cut),
        (at.clone(), piece.clone()).prop_map(|(at, text)| Edit::Insert(at, text)),
        (at, piece).prop_map(|(at, text)| Edit::Replace(at, text)),
    ];
    proptest::collection::vec(edit, 1..6)
}

pub(crate) fn apply(text: &str, edits: &[Edit]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for edit in edits {
        let lines =
            |chars: &[char]| chars.iter().collect::<String>().split('\n').map(str::to_owned).collect::<Vec<_>>();
        let joined = |lines: Vec<String>| lines.join("\n").chars().collect::<Vec<char>>();
        if chars.is_empty() {
            break;
        }
        match edit {
            Edit::DropLine(at) => {
                let mut all = lines(&chars);
                all.remove(at % all.len());
                chars = joined(all);
            }
            Edit::DoubleLine(at) => {
                let mut all = lines(&chars);
                let at = at % all.len();
                all.insert(at, all[at].clone());
                chars = joined(all);
            }
            Edit::Indent(at) => {
                let mut all = lines(&chars);
                let at = at % all.len();
                all[at].insert(0, ' ');
                chars = joined(all);
            }
            Edit::Cut(at) => {
                let at = at % chars.len();
                chars.truncate(at);
            }
            Edit::Insert(at, piece) => {
                let at = at % chars.len();
                chars.splice(at..at, piece.chars());
            }
            Edit::Replace(at, piece) => {
                let at = at % chars.len();
                chars.splice(at..=at, piece.chars());
            }
        }
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_edit_of_the_shipped_file_panics_or_is_reported_outside_of_it(edits in edits()) {
        let text = apply(&fs::read_to_string(SHIPPED).unwrap(), &edits);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sla.yml");
        fs::write(&file, &text).unwrap();
        fs::copy("../config/ledger.yml", folder.path().join("ledger.yml")).unwrap();
        match config::load(&file) {
            Ok(loaded) => check_places(&text, &file, &loaded.warnings)?,
            Err(findings) => {
                prop_assert!(findings.iter().any(|finding| finding.severity == Severity::Error));
                check_places(&text, &file, &findings)?;
            }
        }
    }
}

#[test]
fn a_blackbox_file_given_as_the_configuration_is_told_what_to_write_around_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my-blackbox.yml");
    std::fs::write(&file, "modules:\n  http_2xx: {prober: http, http: {basic_auth: {username: u, password: p}}}\n")
        .unwrap();
    let findings = sla_exporter::config::load(&file).unwrap_err();
    let [finding] = &findings[..] else { panic!("{findings:#?}") };
    let text = finding.to_string();
    // What it says to write does.
    let (_, rest) = text.split_once("no more than: ").unwrap_or_else(|| panic!("{text}"));
    let (written, _) = rest.rsplit_once(" (docs/blackbox.md)").unwrap_or_else(|| panic!("{text}"));
    let around = folder.path().join("sla.yml");
    std::fs::write(&around, written).unwrap();
    let loaded = sla_exporter::config::load(&around).unwrap_or_else(|findings| panic!("{findings:#?}"));
    assert!(loaded.config.replaces_blackbox && loaded.config.module("http_2xx").is_ok());
}
