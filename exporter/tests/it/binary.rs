//! The program itself: flags, exit codes, logs, signals and changed files, seen from outside.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::client::{PATIENCE, SMALL, write};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sla-exporter");

/// A running exporter; killed when dropped.
pub(crate) struct Exporter {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    ended: Arc<AtomicBool>,
    _folder: Option<tempfile::TempDir>,
}

impl Exporter {
    /// With [`SMALL`] as its configuration.
    fn small(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let flag = config_flag(&write(folder.path(), "sla.yml", SMALL));
        let mut exporter = Self::start(&[&[flag.as_str()], arguments].concat());
        exporter._folder = Some(folder);
        exporter
    }

    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.arg("--web.listen-address=127.0.0.1:0").args(arguments);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let ended = Arc::new(AtomicBool::new(false));
        std::thread::spawn({
            let (log, ended) = (Arc::clone(&log), Arc::clone(&ended));
            move || {
                lines.map_while(Result::ok).for_each(|line| log.lock().unwrap().push(line));
                ended.store(true, Ordering::Release);
            }
        });
        let mut exporter = Self { child, address: "127.0.0.1:1".parse().unwrap(), log, ended, _folder: None };
        exporter.address = exporter.eventually("listening", |log| {
            let line = log.iter().find(|line| line.contains("listening"))?;
            let (_, address) = line.split_once("127.0.0.1:")?;
            let port: String = address.chars().take_while(char::is_ascii_digit).collect();
            Some(SocketAddr::from(([127, 0, 0, 1], port.parse().ok()?)))
        });
        exporter.eventually("ready", |_| exporter.get("/-/ready").contains("200 OK").then_some(()));
        exporter
    }

    fn eventually<T>(&self, what: &str, mut look: impl FnMut(&[String]) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            let ended = self.ended.load(Ordering::Acquire);
            let log = self.log.lock().unwrap().clone();
            if let Some(found) = look(&log) {
                return found;
            }
            assert!(!ended, "{what}: the program ended; the log:\n{}", log.join("\n"));
            assert!(started.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}; the log:\n{}", log.join("\n"));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn ask(&self, method: &str, path: &str) -> String {
        let Ok(mut stream) = TcpStream::connect(self.address) else { return String::new() };
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = String::new();
        let _ = write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    pub(crate) fn get(&self, path: &str) -> String {
        self.ask("GET", path)
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    fn metric(&self, line: &str) -> bool {
        self.get("/metrics").lines().any(|found| found == line)
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success(), "kill -s {name}");
    }

    /// Its exit code, and how long it took to end.
    fn end(&mut self) -> (Option<i32>, Duration) {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), started.elapsed());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("still running after {PATIENCE:?}");
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn config_flag(file: &Path) -> String {
    format!("--config.file={}", file.display())
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn version_says_what_was_built_with_what() {
    let output = run(&["--version"]);
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    assert_eq!(lines[0], format!("sla-exporter {}", env!("CARGO_PKG_VERSION")));
    assert!(lines[1].starts_with("revision: ") && lines[2].starts_with("rustc:    rustc 1."), "{lines:?}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn exit_codes_tell_findings_from_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    write(folder.path(), "good.yml", SMALL);
    write(folder.path(), "bad.yml", SMALL.replace("5m", "6m"));
    write(folder.path(), "warned.yml", format!("{SMALL}hosts: [{{name: h, address: 10.0.0.1}}]\n"));
    write(folder.path(), "web.yml", "http_server_config: {http2: false}\n");
    write(folder.path(), "badweb.yml", "basic_auth_users: {u: plain}\n");
    let flag = format!("--web.config.file={}", at("web.yml"));
    let bad_flag = format!("--web.config.file={}", at("badweb.yml"));
    for (arguments, code) in [
        (vec!["--help"], 0),
        (vec!["check", &at("good.yml")], 0),
        (vec!["check", &at("warned.yml")], 0),
        (vec!["check", "--deny-warnings", &at("good.yml")], 0),
        (vec!["check", "--deny-warnings", &at("warned.yml")], 1),
        (vec!["check", &at("bad.yml")], 1),
        (vec!["check", &at("good.yml"), &at("bad.yml")], 1),
        (vec!["check", &at("missing.yml")], 1),
        (vec!["check", &flag], 0),
        (vec!["check", &at("good.yml"), &flag], 0),
        (vec!["check", &at("good.yml"), &bad_flag], 1),
        (vec!["check"], 2),
        (vec!["--log.level=loud"], 2),
        (vec!["nonsense"], 2),
        (vec![&config_flag(Path::new("/nonexistent.yml")), "--web.listen-address=127.0.0.1:0"], 1),
        (vec![&config_flag(&folder.path().join("bad.yml")), "--web.listen-address=127.0.0.1:0"], 1),
        (vec!["--web.listen-address=127.0.0.1:0", &bad_flag], 1),
        (vec!["--web.listen-address=nowhere"], 1),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
    }
}

#[test]
fn a_web_configuration_is_checked_with_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "web.yml", "basic_auth_users: {u: plain-secret}\nrate_limits: {}\n");
    let output = run(&["check", "--web.config.file", file.to_str().unwrap()]);
    let file = file.display();
    assert_eq!(
        text(&output.stderr),
        format!(
            "{file}:1:23: basic_auth_users.u: this is not a bcrypt hash (60 characters, beginning with $2a$, $2b$ or $2y$); \
             make one with `htpasswd -nBC 10 \"\" | tr -d ':\\n'`\n\
             {file}:2:1: rate_limits: unknown key `rate_limits`; accepted here: tls_server_config, http_server_config, \
             basic_auth_users, rate_limit (did you mean `rate_limit`?)\n\
             {file}: refused\n"
        )
    );
}

#[test]
fn a_taken_port_is_said_before_anything_starts() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let output = run(&[&format!("--web.listen-address={address}")]);
    assert_eq!(output.status.code(), Some(1));
    let expected = format!(
        "message=\"cannot listen on `{address}`: the port is taken by another process (`ss -ltnp` shows which); \
         stop it, or choose another port with --web.listen-address\""
    );
    assert!(text(&output.stderr).contains(&expected), "{}", text(&output.stderr));
}

#[test]
fn without_a_file_it_watches_this_host_and_itself() {
    let exporter = Exporter::start(&[]);
    let log = exporter.log.lock().unwrap().join("\n");
    assert!(log.contains("no --config.file: watching this host, loopback and this exporter itself"), "{log}");
    exporter.eventually("its own endpoint is up", |_| {
        let page = exporter.get("/metrics");
        page.lines()
            .any(|line| line.starts_with("probe_success{") && line.contains("probe=\"self\"") && line.ends_with(" 1"))
            .then_some(())
    });
    let page = exporter.get("/metrics");
    for start in ["node_load1 ", "sla_objective_ratio{contract=\"self\",function=\"self\"} 0.99"] {
        assert!(page.lines().any(|line| line.starts_with(start)), "{start} in {page}");
    }
}

#[test]
fn logs_are_json_for_who_asks() {
    let mut exporter = Exporter::small(&["--log.format=json", "--log.level=debug"]);
    exporter.signal("TERM");
    assert_eq!(exporter.end().0, Some(0));
    let log = exporter.eventually("the last line", |log| log.last()?.contains("ended").then(|| log.to_vec()));
    for line in &log {
        let value: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for key in ["timestamp", "level", "target", "message"] {
            assert!(value[key].is_string(), "{key} in {line}");
        }
    }
}

#[test]
fn the_level_leaves_out_what_is_less_severe() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "sla.yml", SMALL.replace("5m", "6m"));
    let output = run(&[&config_flag(&file), "--web.listen-address=127.0.0.1:0", "--log.level=error"]);
    let log = text(&output.stderr);
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains(" level=error ") && log.contains("probes[0].interval: 6m is longer"), "{log}");
}

/// C2.1: what is watched does not stop because a file is bad.
#[test]
fn each_trigger_reloads_and_a_bad_file_changes_nothing() {
    const SUCCESSFUL: &str = "sla_exporter_config_last_reload_successful";
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "sla.yml", SMALL);
    let exporter = Exporter::start(&[&config_flag(&file)]);
    let targets = |count: usize| {
        let list: Vec<String> = (1..=count).map(|port| format!("\"127.0.0.1:{port}\"")).collect();
        SMALL.replace("\"127.0.0.1:1\"", &list.join(", "))
    };
    let shows = |what: &str, count: usize, successful: u8| {
        exporter.eventually(what, |_| {
            let good = exporter.metric(&format!("{SUCCESSFUL} {successful}"));
            (good && exporter.metric(&format!("sla_exporter_targets {count}"))).then_some(())
        });
    };
    shows("start", 1, 1);

    std::fs::write(&file, targets(2)).unwrap();
    shows("a file written in place", 2, 1);

    let new = write(folder.path(), "new", targets(3));
    std::fs::rename(new, &file).unwrap();
    shows("a file renamed over it", 3, 1);

    let new = write(folder.path(), "new", "site: [");
    std::fs::rename(new, &file).unwrap();
    shows("a bad file", 3, 0);
    let answer = exporter.ask("POST", "/-/reload");
    assert!(answer.starts_with("HTTP/1.1 500 ") && answer.contains("configuration not reloaded: 1 error"), "{answer}");
    shows("a bad file, asked for", 3, 0);
    let refusals = |log: &[String]| log.iter().filter(|line| line.contains("configuration not reloaded")).count();
    let before = refusals(&exporter.log.lock().unwrap());
    exporter.signal("HUP");
    exporter.eventually("a bad file, signalled", |log| (refusals(log) > before).then_some(()));
    shows("a bad file, signalled", 3, 0);

    std::fs::write(&file, targets(4)).unwrap();
    let answer = exporter.ask("POST", "/-/reload");
    let reloaded = answer.starts_with("HTTP/1.1 200 ") && answer.contains("configuration reloaded: ");
    assert!(reloaded, "{answer}");
    shows("a good file, asked for", 4, 1);

    let reloads = |log: &[String]| log.iter().filter(|line| line.contains("configuration reloaded: ")).count();
    let before = reloads(&exporter.log.lock().unwrap());
    exporter.signal("HUP");
    exporter.eventually("a signal without a change", |log| (reloads(log) == before + 1).then_some(()));
    // The watch was told of all that: it does not reload what is in force.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(reloads(&exporter.log.lock().unwrap()), before + 1);
}

#[test]
fn mending_a_file_that_only_the_refused_configuration_names_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "sla.yml", SMALL);
    let exporter = Exporter::start(&[&config_flag(&file)]);
    write(folder.path(), "blackbox.yml", "modules: {x: {prober: nonsense}}\n");
    let config = SMALL.replace("module: tcp", "module: x");
    std::fs::write(&file, format!("{config}module_files: [blackbox.yml]\n")).unwrap();
    let successful = |value: u8| exporter.metric(&format!("sla_exporter_config_last_reload_successful {value}"));
    exporter.eventually("the bad module", |_| successful(0).then_some(()));
    write(folder.path(), "blackbox.yml", "modules: {x: {prober: tcp}}\n");
    exporter.eventually("the mended module", |_| successful(1).then_some(()));
}

#[test]
fn a_swapped_link_is_noticed_as_kubernetes_swaps_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (version, site) in [("v1", "one"), ("v2", "two")] {
        std::fs::create_dir(at(version)).unwrap();
        write(&at(version), "sla.yml", SMALL.replace("site: here", &format!("site: {site}")));
    }
    std::os::unix::fs::symlink("v1", at("..data")).unwrap();
    std::os::unix::fs::symlink("..data/sla.yml", at("sla.yml")).unwrap();
    let exporter = Exporter::start(&[&config_flag(&at("sla.yml"))]);
    assert!(exporter.get("/").contains("site <b>one</b>"));
    std::os::unix::fs::symlink("v2", at("..new")).unwrap();
    std::fs::rename(at("..new"), at("..data")).unwrap();
    exporter.eventually("the new version", |_| exporter.get("/").contains("site <b>two</b>").then_some(()));
}

/// The windows on the page, `window reason`, and all judged downtime.
fn judged(exporter: &Exporter) -> (Vec<String>, f64) {
    let page = exporter.get("/metrics");
    let of = |family: &'static str| page.lines().filter(move |line| line.starts_with(family));
    let label = |line: &str, name: &str| {
        let rest = line.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("{line} has no {name}")).1;
        rest.split('"').next().unwrap_or_default().to_owned()
    };
    let mut windows: Vec<String> = of("sla_window_start_timestamp_seconds{")
        .map(|line| format!("{} {}", label(line, "window"), label(line, "reason")))
        .collect();
    windows.sort();
    let seconds =
        of("sla_month_judged_downtime_seconds{").filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    (windows, seconds.sum())
}

/// An entry of the ledger: half an hour of a day that many days ago.
fn incident(id: &str, cause: &str, days: i64) -> String {
    let now = jiff::Timestamp::from_second(sla_exporter::clock::whole_seconds()).unwrap();
    let zone = jiff::tz::TimeZone::get("Asia/Tokyo").unwrap();
    let day = zone.to_datetime(now).date().checked_sub(jiff::Span::new().days(days)).unwrap();
    format!(
        "  - {{id: {id}, title: t, functions: f, cause: {cause}, started_at: {day}T10:00:00+09:00, resolved_at: {day}T10:30:00+09:00}}\n"
    )
}

/// C4.1.2: a ruling comes into force when it is written down, and a mistake in it changes nothing.
#[test]
fn a_changed_ledger_comes_into_force_and_a_bad_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "sla.yml", format!("{SMALL}ledger: ledger.yml\n"));
    let ledger = write(folder.path(), "ledger.yml", "incidents:\n");
    let exporter = Exporter::start(&[&config_flag(&file)]);
    let shows = |what: &str, windows: &[&str], downtime: f64, successful: u8| {
        exporter.eventually(what, |_| {
            let state = exporter.metric(&format!("sla_exporter_config_last_reload_successful {successful}"));
            (state && judged(&exporter) == (windows.iter().map(ToString::to_string).collect(), downtime)).then_some(())
        });
    };
    shows("an empty ledger", &[], 0.0, 1);

    let one = format!("incidents:\n{}", incident("one", "internal", 7));
    std::fs::write(&ledger, &one).unwrap();
    shows("written in place", &["one internal"], 1800.0, 1);

    // As editors do it.
    let new = write(folder.path(), "ledger.yml~", format!("{one}{}", incident("two", "internal", 8)));
    std::fs::rename(new, &ledger).unwrap();
    shows("renamed over it", &["one internal", "two internal"], 3600.0, 1);

    std::fs::write(&ledger, format!("{one}{}", incident("one", "internal", 8))).unwrap();
    shows("an id given twice", &["one internal", "two internal"], 3600.0, 0);
    exporter.eventually("the reason in the log", |log| {
        log.iter().any(|line| line.contains("`one` is incidents[0].id already")).then_some(())
    });

    // A name that vanishes for a moment, and comes back with a ruling.
    std::fs::remove_file(&ledger).unwrap();
    exporter.eventually("the missing file in the log", |log| {
        log.iter().any(|line| line.contains("ledger.yml: cannot read it")).then_some(())
    });
    shows("a missing file", &["one internal", "two internal"], 3600.0, 0);
    std::fs::write(&ledger, one.replace("internal", "force_majeure")).unwrap();
    shows("the ruling", &["one force_majeure"], 0.0, 1);
    let kept = |log: &[String]| log.iter().filter(|line| line.contains("1 target kept, 0 added, 0 removed")).count();
    assert!(kept(&exporter.log.lock().unwrap()) >= 3, "a change of the ledger disturbed the probe");
}

#[test]
fn a_file_that_appears_in_a_folder_of_the_ledger_or_goes_from_it_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("ledger.d")).unwrap();
    let file = write(folder.path(), "sla.yml", format!("{SMALL}ledger: ledger.d\n"));
    let exporter = Exporter::start(&[&config_flag(&file)]);
    let shows = |what: &str, windows: &[&str]| {
        exporter.eventually(what, |_| (judged(&exporter).0 == windows).then_some(()));
    };
    shows("an empty folder", &[]);
    std::fs::write(at("ledger.d/2026-10.yml"), format!("incidents:\n{}", incident("one", "internal", 7))).unwrap();
    shows("a file that appears", &["one internal"]);
    std::fs::write(at("ledger.d/more.yaml"), format!("incidents:\n{}", incident("two", "internal", 8))).unwrap();
    shows("another", &["one internal", "two internal"]);
    std::fs::write(at("ledger.d/more.yaml"), format!("incidents:\n{}", incident("three", "internal", 8))).unwrap();
    shows("a change of one", &["one internal", "three internal"]);
    std::fs::rename(at("ledger.d/2026-10.yml"), at("ledger.d/.2026-10.yml")).unwrap();
    shows("a file put aside", &["three internal"]);

    // A new file in a wrong encoding changes nothing, and is mended in place.
    std::fs::write(at("ledger.d/new.yml"), b"drills: [\x95\x9c\x8b\x8c]\n").unwrap();
    exporter.eventually("the encoding in the log", |log| {
        log.iter().any(|line| line.contains("it is not UTF-8 on line 1")).then_some(())
    });
    shows("a file that cannot be read", &["three internal"]);
    std::fs::write(at("ledger.d/new.yml"), format!("incidents:\n{}", incident("four", "false_alarm", 9))).unwrap();
    shows("mended", &["four false_alarm", "three internal"]);
    // What editors leave beside them is no change.
    let reloads = |log: &[String]| log.iter().filter(|line| line.contains("configuration reloaded: ")).count();
    let before = reloads(&exporter.log.lock().unwrap());
    for name in ["ledger.d/.new.yml.swp", "ledger.d/new.yml~", "ledger.d/README.md"] {
        std::fs::write(at(name), "x").unwrap();
    }
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(reloads(&exporter.log.lock().unwrap()), before);
    std::fs::remove_file(at("ledger.d/more.yaml")).unwrap();
    shows("a file that is gone", &["four false_alarm"]);
}

/// A target that accepts and never answers.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

#[test]
fn both_signals_end_it_within_five_seconds_while_a_probe_hangs() {
    for signal in ["TERM", "INT"] {
        let (_listener, address) = silent();
        let folder = tempfile::tempdir().unwrap();
        let config = SMALL
            .replace(
                "{prober: tcp, timeout: 1s}",
                "{prober: tcp, timeout: 4m, tcp: {query_response: [{expect: never}]}}",
            )
            .replace("127.0.0.1:1", &address);
        let file = write(folder.path(), "sla.yml", config);
        let mut exporter = Exporter::start(&[&config_flag(&file)]);
        exporter.eventually("a probe in flight", |_| exporter.metric("sla_exporter_probes_in_flight 1").then_some(()));
        exporter.signal(signal);
        let (code, took) = exporter.end();
        assert_eq!(code, Some(0), "{signal}");
        assert!(took < Duration::from_secs(5), "{signal}: {took:?}");
        let name = format!("signal=SIG{signal}");
        exporter.eventually("the last lines", |log| log.iter().any(|line| line.contains(&name)).then_some(()));
    }
}

#[test]
fn a_request_under_way_is_answered_before_the_end_and_none_after() {
    let mut exporter = Exporter::small(&[]);
    let mut stream = TcpStream::connect(exporter.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /-/healthy HTTP/1.1\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    exporter.signal("TERM");
    exporter.eventually("ending", |log| log.iter().any(|line| line.contains("message=ending")).then_some(()));
    std::thread::sleep(Duration::from_millis(300));
    stream.write_all(b"Host: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("sla-exporter is healthy\n"), "{answer}");
    assert_eq!(exporter.end().0, Some(0));
    assert!(TcpStream::connect(exporter.address).is_err());
}

#[test]
fn a_second_signal_does_not_wait_for_what_is_under_way() {
    let mut exporter = Exporter::small(&[]);
    // Half a request holds the end up for 3 seconds.
    let mut stream = TcpStream::connect(exporter.address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    exporter.signal("TERM");
    exporter.eventually("ending", |log| log.iter().any(|line| line.contains("message=ending")).then_some(()));
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(exporter.child.try_wait().unwrap(), None, "it waits");
    exporter.signal("TERM");
    let (code, took) = exporter.end();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn promtool_finds_nothing_in_the_page_but_node_exporters_case() {
    let exporter = Exporter::start(&[]);
    exporter.eventually("a result", |_| exporter.get("/metrics").contains("\nprobe_success{").then_some(()));
    let answer = exporter.get("/metrics");
    let (_, page) = answer.split_once("\r\n\r\n").unwrap();
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool on the PATH: `apt-get install prometheus`");
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let findings = format!("{}{}", text(&output.stdout), text(&output.stderr));
    let ours: Vec<&str> = findings.lines().filter(|line| !line.starts_with("node_")).collect();
    assert!(ours.is_empty(), "{ours:#?}");
}
