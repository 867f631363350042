//! The whole stack on one machine, for `make run`: starts the programs, waits until each is ready, stops all of them.
//!
//! Everything lives in one temporary folder that goes with the run; programs listen on loopback only. Not for
//! production: deploy/ has units and compose files for that.

mod child;
mod configs;
mod folder;
mod grafana;
mod ports;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use self::child::Child;
pub use self::configs::{CLIENT_FILES, Files, add_history, write as write_configs};
pub use self::ports::Ports;
use crate::history;

/// How long a program may take until it answers.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Grafana makes its database first.
const GRAFANA_READY_WITHIN: Duration = Duration::from_secs(180);

/// Where the repository and the built programs are.
#[derive(Clone, Debug)]
pub struct Places {
    /// The repository: rules, configurations.
    pub repository: PathBuf,
    /// `sla-exporter`, `sla-demo`, `sla-demo-mail`.
    pub programs: PathBuf,
    /// Whether a generated year is there from the beginning.
    pub history: bool,
}

/// Its name in what is said.
const GRAFANA: &str = "Grafana";

/// Name, program, arguments, port, the path that answers once it is ready.
type Program = (&'static str, PathBuf, Vec<String>, u16, &'static str);

/// Starts the stack, says what to try, and runs until `stopped` or until a program ends.
///
/// # Errors
/// With what is missing or which program ended, and its last words.
pub async fn run(places: &Places, ports: Ports, stopped: impl Future<Output = ()>) -> Result<(), String> {
    ports.check()?;
    let folder = folder::create()?;
    say("starting, on loopback only:");
    let mut children = Vec::new();
    let mut stopped = std::pin::pin!(stopped);
    let result = tokio::select! {
        result = start(places, ports, folder.path(), &mut children) => result,
        () = &mut stopped => Err("stopped while starting".to_owned()),
    };
    let result = match result {
        Ok(()) => {
            let history = if places.history { history_page(places, ports, folder.path()) } else { String::new() };
            say(&page(ports, alerts_path(ports).await, &history));
            tokio::select! {
                () = &mut stopped => Ok(()),
                why = first_end(&mut children) => Err(why),
            }
        }
        Err(why) => Err(why),
    };
    say("stopping");
    // What depends on others ends before them.
    while let Some(child) = children.pop() {
        child.stop().await;
    }
    result
}

async fn start(places: &Places, ports: Ports, folder: &Path, children: &mut Vec<Child>) -> Result<(), String> {
    let files = configs::write(&places.repository, folder, ports)?;
    if !configs::may_ping() {
        say(
            "  (without the probe `loopback`: this user may not ping; net.ipv4.ping_group_range is closed to its groups)",
        );
    }
    let ours = |name: &str| places.programs.join(name);
    let path = |path: &Path| path.display().to_string();
    let data = folder.join("prometheus-data");
    if places.history {
        prepare_history(&files, ports, folder, &data).await?;
    }
    let listen = |port: u16| format!("127.0.0.1:{port}");
    let alertmanager =
        if child::is_on_path("prometheus-alertmanager") { "prometheus-alertmanager" } else { "alertmanager" };
    let mut plan: Vec<Program> = vec![
        (
            "demo service",
            ours("sla-demo"),
            vec![
                format!("--listen={}", listen(ports.demo)),
                format!("--tls-listen={}", listen(ports.demo_tls)),
                format!("--client-files={}", path(&folder.join(configs::CLIENT_FILES))),
            ],
            ports.demo,
            "/",
        ),
        (
            "mail catcher",
            ours("sla-demo-mail"),
            vec![format!("--smtp={}", listen(ports.smtp)), format!("--listen={}", listen(ports.mail))],
            ports.mail,
            "/health",
        ),
        (
            "Alertmanager",
            alertmanager.into(),
            vec![
                format!("--config.file={}", path(&files.alertmanager)),
                format!("--storage.path={}", path(&folder.join("alertmanager-data"))),
                format!("--web.listen-address={}", listen(ports.alertmanager)),
                format!("--web.external-url=http://{}", listen(ports.alertmanager)),
                // Alone: no cluster port.
                "--cluster.listen-address=".to_owned(),
            ],
            ports.alertmanager,
            "/-/ready",
        ),
        (
            "Prometheus",
            "prometheus".into(),
            vec![
                format!("--config.file={}", path(&files.prometheus)),
                format!("--storage.tsdb.path={}", path(&data)),
                // The year's figures are read over 400 days; Prometheus' own 15 would also delete the history at once.
                "--storage.tsdb.retention.time=400d".to_owned(),
                format!("--web.listen-address={}", listen(ports.prometheus)),
                format!("--web.external-url=http://{}", listen(ports.prometheus)),
            ],
            ports.prometheus,
            "/-/ready",
        ),
        // After what its probes ask, so that none of its first runs fails.
        (
            "sla-exporter",
            ours("sla-exporter"),
            vec![
                format!("--config.file={}", path(&files.exporter)),
                format!("--storage.path={}", path(&folder.join("exporter-data"))),
                // History and figures of the status page.
                format!("--prometheus.url=http://{}", listen(ports.prometheus)),
                format!("--web.listen-address={}", listen(ports.exporter)),
            ],
            ports.exporter,
            "/-/ready",
        ),
    ];
    let mut environment = Vec::new();
    if let Some(grafana) = grafana::installed() {
        grafana::provision(&places.repository, folder, &files, ports)?;
        let is_set = |name: &str| std::env::var_os(name).is_some();
        environment = grafana::environment(&places.repository, folder, ports.grafana, is_set);
        plan.push((GRAFANA, grafana.program(), grafana.arguments(), ports.grafana, "/api/health"));
    }
    for (name, program, arguments, port, ready) in plan {
        let began = Instant::now();
        let log = folder.join(format!("{}.log", name.replace(' ', "-")));
        let environment: &[_] = if name == GRAFANA { &environment } else { &[] };
        children.push(Child::start_in(name, &program, &arguments, environment, &log)?);
        let Some(child) = children.last_mut() else { continue };
        let patience = if name == GRAFANA { GRAFANA_READY_WITHIN } else { READY_WITHIN };
        while !child::answers(port, ready).await {
            if let Some(why) = child.ended() {
                return Err(why);
            }
            if began.elapsed() > patience {
                return Err(format!("{name} is not ready after {} s\n{}", patience.as_secs(), child.last_words()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let seconds = began.elapsed().as_secs_f64();
        say(&format!("  {name:<13} ready after {seconds:.1} s   http://127.0.0.1:{port}/"));
    }
    Ok(())
}

/// Writes the ledger and loads the samples that belong to it.
async fn prepare_history(files: &Files, ports: Ports, folder: &Path, data: &Path) -> Result<(), String> {
    let began = Instant::now();
    let history = configs::add_history(files, ports, crate::clock::now())?;
    let samples = folder.join("history.openmetrics");
    let to = samples.clone();
    let written = tokio::task::spawn_blocking(move || history.write_samples(&to)).await;
    written.map_err(|error| format!("writing the history: {error}"))??;
    // It works in a temporary folder of its own, which must not stay when the run is stopped meanwhile.
    let mut arguments = vec![format!("TMPDIR={}", folder.display()), "promtool".to_owned()];
    arguments.extend(history::promtool_arguments(&samples, data));
    let mut promtool = Child::start("promtool", Path::new("env"), &arguments, &folder.join("promtool.log"))?;
    promtool.succeeds().await?;
    // More than a hundred megabytes that nobody reads again.
    let _ = std::fs::remove_file(&samples);
    let seconds = began.elapsed().as_secs_f64();
    say(&format!("  a year of invented history, loaded after {seconds:.1} s"));
    Ok(())
}

/// Prints a line; a terminal that is gone must not keep the programs from being stopped.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Waits until a program ends; says which, and its last words.
async fn first_end(children: &mut [Child]) -> String {
    loop {
        if let Some(why) = children.iter_mut().find_map(Child::ended) {
            return why;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Debian's Prometheus 2 has the classic pages only, Prometheus 3 has none of them.
async fn alerts_path(ports: Ports) -> &'static str {
    if child::answers(ports.prometheus, "/classic/alerts").await { "/classic/alerts" } else { "/alerts" }
}

fn page(ports: Ports, alerts: &str, history: &str) -> String {
    let containers = if child::is_on_path("docker") || child::is_on_path("podman") {
        "\nIn containers, with Grafana too: docker compose up\n"
    } else {
        ""
    };
    let Ports { demo, exporter, prometheus, alertmanager, mail, grafana, .. } = ports;
    let dashboards = if grafana::installed().is_some() {
        format!("  dashboards, in Grafana                        http://127.0.0.1:{grafana}/\n")
    } else {
        format!("  ({})\n", grafana::MISSING)
    };
    format!(
        "
All is running. Ctrl-C stops it and leaves nothing behind.

  the demo service, with buttons to break it    http://127.0.0.1:{demo}/
  what sla-exporter sees                        http://127.0.0.1:{exporter}/
  the status page that customers see            http://127.0.0.1:{exporter}/status
  Prometheus: up or down, function by function  http://127.0.0.1:{prometheus}/graph?g0.expr=sla%3Afunction_up%3Anow&g0.tab=1
  its alerts                                    http://127.0.0.1:{prometheus}{alerts}
  Alertmanager (Debian's has no pages)          http://127.0.0.1:{alertmanager}/
  mails that arrived                            http://127.0.0.1:{mail}/
{dashboards}
Try this:

  break the web form    curl -X POST http://127.0.0.1:{demo}/break/web_form
                        the page mail arrives within 2 minutes at http://127.0.0.1:{mail}/
  fix it                curl -X POST http://127.0.0.1:{demo}/fix/web_form
                        the recovery mail follows
  let the login hang    curl -X POST 'http://127.0.0.1:{demo}/break/web_app?mode=hang'
  firing alerts         amtool alert query --alertmanager.url=http://127.0.0.1:{alertmanager}
  a slot (5 minutes)    curl -s 'http://127.0.0.1:{prometheus}/api/v1/query?query=sla:function_up:5m'
{history}{containers}"
    )
}

fn history_page(places: &Places, ports: Ports, folder: &Path) -> String {
    let (prometheus, folder) = (ports.prometheus, folder.display());
    let exporter = places.programs.join("sla-exporter");
    let exporter = exporter.display();
    format!(
        "
The year before this start is invented, to have something to look at: figures, outages, maintenance. Its ledger can be
changed while all this runs, and the figures follow within five minutes; docs/demo.md has what to try.

  the year, month by month  http://127.0.0.1:{prometheus}/graph?g0.expr=last_over_time(sla%3Amonth_availability%3Aratio%5B400d%5D)&g0.tab=1
  how the figures got there http://127.0.0.1:{prometheus}/graph?g0.expr=sla%3Amonth_availability%3Aratio&g0.tab=0&g0.range_input=9w
  when something was down   http://127.0.0.1:{prometheus}/graph?g0.expr=min_over_time(sla%3Afunction_up%3A5m%5B7h%5D)&g0.tab=0&g0.range_input=9w
  the ledger                {folder}/ledger.yml
  what is odd about it      {exporter} check {folder}/sla.yml
"
    )
}
