//! `sla-exporter ledger draft` with real servers: what it makes of an upstream's outage, of a failure with pauses, and of what
//! entries are about already; that its text is a ledger; and what it says when it cannot be made.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use chrono_tz::Asia;
use sla_tests::program::ours;
use sla_tests::samples::Samples;
use sla_tests::slow::two_months;
use sla_tests::{free_port, http};
use tempfile::TempDir;

use crate::months::live::clock;
use crate::months::servers::{Server, prometheus, victoria_metrics};

const HOUR: i64 = 3600;
const DAY: i64 = 86_400;
/// Slots come this many milliseconds before the clock's five minutes end.
const BEAT: i64 = 120_345;

/// What happened, counted from the previous month's begin: an outage with the upstream's, one of our own with a pause, one after
/// a stop's end, one within an incident, and one that goes on.
struct Story {
    begin: i64,
    now: i64,
}

/// Seconds from a month's begin.
const UPSTREAM: [i64; 2] = [3 * DAY + 10 * HOUR, 3 * DAY + 10 * HOUR + 1500];
const OWN: [[i64; 2]; 2] = [[5 * DAY, 5 * DAY + 900], [5 * DAY + 1500, 5 * DAY + 2100]];
const OVERRUN: [i64; 2] = [7 * DAY, 7 * DAY + 600];
const KNOWN: [i64; 2] = [9 * DAY, 9 * DAY + 600];

impl Story {
    fn now() -> Self {
        let now = clock();
        Self { begin: two_months(Asia::Tokyo, now)[0].start, now }
    }

    fn within(&self, at: i64, stretch: [i64; 2]) -> bool {
        self.begin + stretch[0] < at && at <= self.begin + stretch[1]
    }

    fn client_down(&self, at: i64) -> bool {
        self.within(at, UPSTREAM) || self.within(at, KNOWN) || at > self.now - 1200
    }

    fn consumer_down(&self, at: i64) -> bool {
        self.within(at, OVERRUN) || OWN.iter().any(|stretch| self.within(at, *stretch))
    }

    /// Slots of two months, and probes every 15 s of the hours in which something happened.
    fn samples(&self) -> Samples {
        let mut samples = Samples::default();
        let evidence = |function: &str, capability: &str, probe: &str| {
            format!(
                "contract=\"c\",site=\"here\",probe=\"{probe}\",target=\"http://{probe}.example.com/\",\
                 function=\"{function}\",capability=\"{capability}\""
            )
        };
        let (client, consumer) =
            (evidence("client", "web_app", "web-app"), evidence("consumer", "web_form", "web-form"));
        for end in (self.begin..self.now).step_by(300) {
            let at = (end + 300) * 1000 - BEAT;
            if at > self.now * 1000 {
                break;
            }
            for (function, capability, probe, labels, down) in [
                ("client", "web_app", "web-app", &client, self.client_down(end + 300)),
                ("consumer", "web_form", "web-form", &consumer, self.consumer_down(end + 300)),
            ] {
                let up = f64::from(u8::from(!down));
                samples.add("sla:function_up:5m", &format!("contract=\"c\",function=\"{function}\""), at, up);
                let of = format!("contract=\"c\",function=\"{function}\",capability=\"{capability}\"");
                samples.add("sla:capability_up:5m", &of, at, up);
                assert!(labels.contains(probe));
                samples.add("sla:probe_up:5m", labels, at, up);
            }
        }
        self.probes(&mut samples, &client, &consumer);
        samples
    }

    fn probes(&self, samples: &mut Samples, client: &str, consumer: &str) {
        let watched = |probe: &str| {
            format!(
                "contract=\"c\",site=\"here\",probe=\"{probe}\",module=\"m\",target=\"http://{probe}.example.com/\",instance=\"i\""
            )
        };
        // A reason that was seen before, one that is new, and one whose counter begins again in between.
        let (mut status, mut timeout, mut reset) = (100.0, 0.0, 5000.0);
        for at in ((self.begin + UPSTREAM[0] - HOUR)..(self.begin + UPSTREAM[1] + HOUR)).step_by(15) {
            let down = self.within(at + BEAT / 1000, UPSTREAM);
            let late = at > self.begin + UPSTREAM[0] + 900;
            status += f64::from(u8::from(down && !late));
            timeout += f64::from(u8::from(down && late));
            let mut add = |metric: &str, labels: String, value: f64| samples.add(metric, &labels, at * 1000, value);
            add("probe_success", watched("sfdc"), f64::from(u8::from(!down)));
            // The first two slots.
            let database = down && at <= self.begin + UPSTREAM[0] + 600 - BEAT / 1000;
            add("probe_success", watched("db"), f64::from(u8::from(!database)));
            add("probe_success", watched("mail"), 1.0);
            add("probe_failures_total", format!("{client},reason=\"status\""), status);
            if timeout > 0.0 {
                add("probe_failures_total", format!("{client},reason=\"timeout\""), timeout);
            }
        }
        for at in ((self.begin + OWN[0][0] - HOUR)..(self.begin + OWN[1][1] + HOUR)).step_by(15) {
            let down = OWN.iter().any(|stretch| self.within(at + BEAT / 1000, *stretch));
            if at == self.begin + OWN[0][0] + 450 {
                reset = 0.0;
            }
            reset += f64::from(u8::from(down));
            samples.add("probe_success", &watched("sfdc"), at * 1000, 1.0);
            samples.add("probe_failures_total", &format!("{consumer},reason=\"refused\""), at * 1000, reset);
        }
    }

    /// The configuration, and a ledger that is a folder: a stop whose end nobody recorded, an incident nobody judged.
    fn files(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("ledger")).unwrap();
        let at = |seconds: i64| self.moment(seconds);
        let ledger = format!(
            "maintenance:\n  - id: works\n    title: Works\n    functions: [consumer]\n    announced_at: {}\n    start: {}\n    end: {}\n\
             incidents:\n  - {{id: open-question, title: Slow, functions: [client], started_at: \"{}\", resolved_at: \"{}\"}}\n",
            at(OVERRUN[0] - 30 * DAY),
            at(OVERRUN[0] - 2 * HOUR),
            // A slot lies within when its timestamp does.
            at(OVERRUN[0] - 60),
            at(KNOWN[0] - 300),
            at(KNOWN[1] + 300),
        );
        fs::write(folder.path().join("ledger/a.yml"), ledger).unwrap();
        let text = "site: here\n\
             contract:\n  name: c\n  timezone: Asia/Tokyo\n  maintenance: {notice: 14d}\n  functions:\n\
             \x20   client: {title: {ja: クライアント機能, en: Client function}, objective: 99, capabilities: {web_app: {quorum: all}}}\n\
             \x20   consumer: {objective: 99, capabilities: {web_form: {quorum: all}}}\n\
             \x20 upstreams: {sfdc: {probes: [sfdc]}}\n\
             ledger: ledger\n\
             modules: {m: {prober: http}}\n\
             probes:\n\
             \x20 - {name: web-app, module: m, targets: [\"http://web-app.example.com/\"], evidence: client/web_app}\n\
             \x20 - {name: web-form, module: m, targets: [\"http://web-form.example.com/\"], evidence: consumer/web_form}\n\
             \x20 - {name: sfdc, module: m, targets: [\"http://sfdc.example.com/\"]}\n\
             \x20 - {name: db, module: m, targets: [\"http://db.example.com/\"]}\n\
             \x20 - {name: mail, module: m, targets: [\"http://mail.example.com/\"]}\n";
        fs::write(folder.path().join("sla.yml"), text).unwrap();
        folder
    }

    /// In Tokyo, as a draft writes it.
    fn moment(&self, seconds: i64) -> String {
        let moment = chrono::DateTime::from_timestamp(self.begin + seconds, 0).unwrap().with_timezone(&Asia::Tokyo);
        moment.format("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// A slot's time: the second that its milliseconds end in.
    fn slot(&self, clock: i64) -> String {
        self.moment(clock - BEAT / 1000)
    }
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(ours("sla-exporter"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn draft(folder: &Path, port: u16, further: &[&str]) -> Output {
    let url = format!("--prometheus.url=http://127.0.0.1:{port}");
    run(folder, &[&["ledger", "draft", "--config.file=sla.yml", &url], further].concat())
}

#[track_caller]
fn text(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The block of comments and keys of one entry.
#[track_caller]
fn entry<'t>(text: &'t str, id: &str) -> &'t str {
    let place = text.find(&format!("- id: {id}\n")).unwrap_or_else(|| panic!("{id} is missing in\n{text}"));
    let begin = text[..place].rfind("at: ").map_or(0, |end| end + text[end..].find('\n').unwrap());
    let end = text[place..].find("\n  #").map_or(text.len(), |end| place + end);
    &text[begin..end]
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part}\nis missing in\n{text}");
    }
}

/// Without where it comes from, when it was made, and how often exactly something failed.
fn general(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("# as of "));
    let lines = lines.map(|line| line.split_once("; why: ").map_or(line, |(what, _)| what));
    lines.collect::<Vec<_>>().join("\n")
}

/// C4.1.2: what was seen is told, a cause is proposed, and it is a ledger.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_tells_what_failed_and_is_a_ledger_as_it_stands() {
    let story = Story::now();
    let samples = [story.samples()];
    let (prometheus, victoria) = tokio::join!(prometheus(&samples, None), victoria_metrics(&samples, None));
    let folder = story.files();
    let made = text(draft(folder.path(), prometheus.port, &[]));
    println!("{made}");

    let id = |seconds: i64| story.slot(seconds)[..16].replace('T', "-").replace(':', "");
    let outage = entry(&made, &format!("draft-{}-client", id(UPSTREAM[0])));
    has(
        outage,
        &[
            &format!("client: down in 5 slots, from {}, until {}\n", story.slot(UPSTREAM[0]), story.slot(UPSTREAM[1])),
            "before: up, after: up\n",
            "consumer: meanwhile up in 5 slots\n",
            "client/web_app: down in 5 of 5 slots\n",
            "web-app (client/web_app) of http://web-app.example.com/ from here: failed in 5 of 5 slots; why: status ",
            ", timeout ",
            "upstream sfdc: sfdc of http://sfdc.example.com/ from here: failed in 5 of 5 slots",
            "also db of http://db.example.com/ from here: failed in 2 of 5 slots",
            "proposed: cause: upstream, upstream: sfdc — its probe `sfdc` failed in 5 of 5 slots\n",
            &format!("    resolved_at: {}", story.slot(UPSTREAM[1])),
        ],
    );
    assert!(!outage.contains("mail"), "{outage}");
    let own = entry(&made, &format!("draft-{}-consumer", id(OWN[0][0])));
    has(
        own,
        &[
            "consumer: down in 5 slots",
            "up in 2 slots of the entry's time (10 min)",
            "failed in 5 of 7 slots; why: refused ",
            "upstream sfdc: sfdc of http://sfdc.example.com/ from here: failed in 0 of 7 slots\n",
        ],
    );
    assert!(!own.contains("proposed"), "{own}");
    // Failures are about as many as there were: 100 in 25 min of a probe each 15 s, whether a counter is new or begins again.
    let counts = |line: &str, reason: &str| -> u64 {
        let (_, rest) = line.split_once(&format!("{reason} ")).unwrap();
        rest.split('×').next().unwrap().parse().unwrap()
    };
    for (block, reason, expected) in [(outage, "status", 68), (outage, "timeout", 32), (own, "refused", 100)] {
        let counted = counts(block, reason);
        assert!(counted.abs_diff(expected) <= 4, "{reason}: {counted} instead of {expected}\n{block}");
    }
    has(
        &made,
        &[
            "# - maintenance works: down from its announced end on\n",
            &format!("finished_at: {}\n", story.slot(OVERRUN[1])),
            "# - incident open-question: down within it, and it has no `cause`\n",
        ],
    );
    // What goes on is the last, and has no end.
    let last = &made[made.rfind("  - id: ").unwrap()..];
    assert!(last.contains("-client\n") && !last.contains("resolved_at"), "{last}");
    assert_eq!(made.matches("  - id: ").count(), 3, "{made}");

    // The other server says the same.
    assert_eq!(general(&text(draft(folder.path(), victoria.port, &[]))), general(&made));

    taken_over(&story, &folder, &prometheus, &made);
}

/// As one more file of the ledger it is accepted as it stands; judged, nothing is left but what other entries are about.
fn taken_over(story: &Story, folder: &TempDir, server: &Server, made: &str) {
    let file = folder.path().join("ledger/draft.yml");
    fs::write(&file, made).unwrap();
    let checked = run(folder.path(), &["check", "sla.yml"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let again = text(draft(folder.path(), server.port, &[]));
    assert!(!again.contains("\nincidents:"), "{again}");
    assert_eq!(again.matches("down within it, and it has no `cause`").count(), 4, "{again}");

    let judged = made.replace("    # cause: internal |", "    cause: internal  # or |");
    fs::write(&file, judged).unwrap();
    let a = folder.path().join("ledger/a.yml");
    let known = fs::read_to_string(&a).unwrap();
    let finished = format!("end: {}\n    finished_at: {}\n", story.moment(OVERRUN[0] - 60), story.slot(OVERRUN[1]));
    let known = known
        .replace(&format!("end: {}\n", story.moment(OVERRUN[0] - 60)), &finished)
        .replace("title: Slow", "title: Slow, cause: internal");
    fs::write(&a, known).unwrap();
    let nothing = draft(folder.path(), server.port, &[]);
    let said = String::from_utf8_lossy(&nothing.stderr).into_owned();
    assert!(said.contains("nothing to judge: no measured downtime in "), "{said}");
    let nothing = text(nothing);
    assert!(nothing.lines().all(|line| line.starts_with('#')), "{nothing}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_of_the_time_asked_for_and_says_why_there_is_none() {
    let story = Story::now();
    let server = prometheus(&[story.samples()], None).await;
    let folder = story.files();
    let folder = folder.path();
    http::get(server.port, "/-/ready").await.unwrap();

    // A part of the month.
    let (from, to) = (story.moment(UPSTREAM[0] + 300), story.moment(UPSTREAM[1] + HOUR));
    let part = text(draft(folder, server.port, &["--from", &from, "--to", &to]));
    assert!(part.matches("  - id: ").count() == 1 && part.contains("-client\n") && !part.contains("works"), "{part}");
    // A month; what goes on is in the next.
    let [previous, current] = two_months(Asia::Tokyo, story.now);
    let month = text(draft(folder, server.port, &["--month", &previous.name]));
    assert!(month.matches("  - id: ").count() >= 2, "{month}");
    // Into a file of its own.
    let written = draft(folder, server.port, &["--out=draft.yml"]);
    assert!(written.status.success() && written.stdout.is_empty(), "{written:?}");
    assert!(fs::read_to_string(folder.join("draft.yml")).unwrap().contains("\nincidents:\n"));

    #[track_caller]
    fn refused(output: &Output, code: i32, words: &[&str]) {
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{words:?} in: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    // Never over what it reads.
    let ledger = fs::read(folder.join("ledger/a.yml")).unwrap();
    refused(&draft(folder, server.port, &["--out=ledger/a.yml"]), 2, &["ledger/a.yml is the ledger"]);
    refused(&draft(folder, server.port, &["--out=sla.yml"]), 2, &["sla.yml is the configuration"]);
    assert_eq!(fs::read(folder.join("ledger/a.yml")).unwrap(), ledger);
    refused(&draft(folder, server.port, &["--month=2099-01"]), 2, &["has not begun", &current.name]);
    refused(&draft(folder, server.port, &["--from=2026-10-07T10:02:00"]), 2, &["no offset"]);
    refused(&draft(folder, server.port, &["--month=2020-01"]), 1, &["no slots of contract `c` in 2020-01"]);
    refused(&draft(folder, free_port(), &[]), 1, &["--prometheus.url", "refused"]);
    refused(&draft(folder, server.port, &["--out=missing/draft.yml"]), 1, &["cannot write missing/draft.yml"]);
    refused(&run(folder, &["ledger", "draft", "--config.file=none.yml"]), 1, &["none.yml"]);
    // A month without slots beside one that has some.
    let beside = draft(folder, server.port, &["--month", &format!("2020-01,{}", previous.name)]);
    assert!(String::from_utf8_lossy(&beside.stderr).contains("2020-01: no slots"), "{beside:?}");
    text(beside);
}
