//! `/`: what runs here and how it is going, for people; problems first.
//!
//! One self-contained page without scripts. Not for customers (the status page is), and not the
//! contract's judgement: it shows the last runs. Never shows a path or a configuration error's text.

mod html;
mod states;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use hyper::header::HeaderValue;
use sha2::{Digest as _, Sha256};

use self::html::Html;
use self::states::FunctionState;
use super::{Site, reply};
use crate::app::{Health, Source, TargetStatus};
use crate::config::Config;
use crate::{clock, selfmetrics};

const STYLE: &str = include_str!("style.css");
/// Probes on one page.
const ROWS: usize = 200;
/// Characters of a failure's text.
const FAILURE: usize = 300;
/// Characters of a target.
const TARGET: usize = 200;

/// Nothing may be loaded or run but our own style.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    HeaderValue::from_str(&format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ))
    .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
});

/// The policy that fits the page.
pub(super) fn content_security_policy() -> HeaderValue {
    POLICY.clone()
}

/// All that is shown.
struct View<'a> {
    config: &'a Config,
    embedded: bool,
    /// The time, in the contract's zone.
    now: String,
    /// Seconds since the configuration in force was loaded.
    loaded: Duration,
    /// How many things are wrong with a newer one that was refused.
    refused: Option<usize>,
    targets: Vec<TargetStatus>,
    page: usize,
}

/// Answers `/`; `?page=2` shows more probes.
pub(super) async fn serve(site: &Site, query: Option<&str>) -> reply::Reply {
    let page = page_of(query);
    let app = Arc::clone(&site.app);
    let rendered = tokio::task::spawn_blocking(move || {
        let (loaded_at, error) = app.load_state();
        let config = app.config();
        let now = clock::unix_seconds();
        render(View {
            config: &config,
            now: written(now, &config.contract.timezone),
            embedded: matches!(app.source(), Source::Embedded { .. }),
            loaded: Duration::try_from_secs_f64(now - loaded_at).unwrap_or_default(),
            refused: error.map(|text| text.lines().count()),
            targets: app.targets(),
            page,
        })
    });
    match rendered.await {
        Ok(content) => reply::with_type(StatusCode::OK, "text/html; charset=utf-8", content),
        Err(error) => {
            tracing::error!(%error, "landing page not rendered");
            reply::text(StatusCode::INTERNAL_SERVER_ERROR, "the page could not be rendered; the log says why")
        }
    }
}

fn page_of(query: Option<&str>) -> usize {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == "page").find_map(|(_, value)| value.parse().ok()).unwrap_or(1)
}

fn render(mut view: View<'_>) -> Vec<u8> {
    // Stable: within a state the configuration's order stays.
    view.targets.sort_by_key(|target| target.health);
    let mut html = Html::default();
    html.markup("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
        .markup("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>")
        .text(title(&view))
        .markup("</title><style>")
        .markup(STYLE)
        .markup("</style></head><body><main>\n");
    head(&mut html, &view);
    functions(&mut html, &states::functions(&view.config.contract, &view.targets));
    probes(&mut html, &view);
    html.markup("<footer>As of ")
        .text(&view.now)
        .markup(". States on this page are those of the last runs; what counts for the contract is what Prometheus ")
        .markup("records.</footer>\n</main></body></html>\n");
    html.into_bytes()
}

/// The number of problems first: it shows in a browser's tab.
fn title(view: &View<'_>) -> String {
    let down = count(view, Health::Down);
    let prefix = if down > 0 { format!("({down}) ") } else { String::new() };
    format!("{prefix}sla-exporter · {} · {}", view.config.contract.name, view.config.site)
}

fn count(view: &View<'_>, health: Health) -> usize {
    view.targets.iter().filter(|target| target.health == health).count()
}

fn head(html: &mut Html, view: &View<'_>) {
    let contract = &view.config.contract;
    html.markup("<h1>").text(&contract.title.en).markup("<small lang=\"ja\">");
    if contract.title.ja != contract.title.en {
        html.text(&contract.title.ja);
    }
    html.markup("</small></h1>\n<p class=\"dim\">sla-exporter ")
        .text(env!("CARGO_PKG_VERSION"))
        .markup(" · revision ")
        .text(selfmetrics::revision())
        .markup(" · site <b>")
        .text(&view.config.site)
        .markup("</b> · contract <b>")
        .text(&contract.name)
        .markup("</b> · ")
        .text(&contract.timezone_name)
        .markup(" · configuration loaded ")
        .text(ago(view.loaded));
    if view.embedded {
        html.markup(" · built-in default, no <code>--config.file</code>");
    }
    html.markup("</p>\n<nav><a href=\"/status\">Status page for customers</a><a href=\"/metrics\">Metrics</a><a href=\"/sd\">Service discovery</a>")
        .markup("<a href=\"/-/healthy\">Health</a><a href=\"/-/ready\">Readiness</a></nav>\n");
    if let Some(findings) = view.refused {
        html.markup("<p class=\"note\" role=\"alert\"><b>The newest configuration was refused</b>, ")
            .text(plural(findings, "finding"))
            .markup("; the one before stays in force. The log and <code>sla-exporter check</code> say why.</p>\n");
    }
    html.markup("<div class=\"tiles\">");
    tile(html, "bad", count(view, Health::Down), "probes down");
    tile(html, "doubt", count(view, Health::Unknown), "unknown");
    tile(html, "", count(view, Health::Up), "up");
    tile(html, "", view.config.hosts.len(), "hosts in the inventory");
    html.markup("</div>\n");
}

fn tile(html: &mut Html, class: &'static str, number: usize, what: &'static str) {
    html.markup("<div class=\"tile ").markup(if number > 0 { class } else { "" }).markup("\"><b>");
    html.text(number).markup("</b><span>").markup(what).markup("</span></div>");
}

fn functions(html: &mut Html, functions: &[FunctionState<'_>]) {
    html.markup("<h2>Functions</h2>\n<div class=\"wide\"><table><thead><tr><th>State</th><th>Function</th>")
        .markup("<th>Capabilities, evidence up</th></tr></thead><tbody>\n");
    for function in functions {
        html.markup("<tr><td>");
        badge(html, function.health);
        html.markup("</td><th scope=\"row\">").text(function.title).markup("<br><span class=\"dim\">");
        html.text(function.name).markup("</span></th><td>");
        for capability in &function.capabilities {
            html.markup("<span class=\"cap\">");
            badge(html, capability.health);
            html.markup(" ").text(capability.name).markup(" <span class=\"dim\">");
            match capability.evidences {
                0 => html.markup("no probe gives evidence"),
                all => html.text(format_args!("{} of {all}, needs {}", capability.up, capability.required)),
            };
            html.markup("</span></span>");
        }
        html.markup("</td></tr>\n");
    }
    html.markup("</tbody></table></div>\n");
}

fn badge(html: &mut Html, health: Health) {
    html.markup(match health {
        Health::Down => "<span class=\"s down\">down</span>",
        Health::Unknown => "<span class=\"s unknown\">unknown</span>",
        Health::Up => "<span class=\"s up\">up</span>",
    });
}

fn probes(html: &mut Html, view: &View<'_>) {
    let all = view.targets.len();
    let pages = all.div_ceil(ROWS).max(1);
    let page = view.page.clamp(1, pages);
    let first = (page - 1) * ROWS;
    let shown = view.targets.iter().skip(first).take(ROWS);
    html.markup("<h2>Probes <small>");
    match pages {
        1 => html.text(plural(all, "target")),
        _ => html.text(format_args!("{} to {} of {all} targets", first + 1, (first + ROWS).min(all))),
    };
    html.markup(", problems first</small></h2>\n<div class=\"wide\"><table><thead><tr><th>State</th><th>Probe</th>")
        .markup("<th>Target</th><th>Evidence for</th><th class=\"n\">Took</th><th class=\"n\">Last run</th></tr></thead><tbody>\n");
    for target in shown {
        row(html, target);
    }
    html.markup("</tbody></table></div>\n");
    if pages > 1 {
        html.markup("<p class=\"pages\"><span>");
        if page > 1 {
            html.markup("<a rel=\"prev\" href=\"?page=")
                .text(page - 1)
                .markup("\">← page ")
                .text(page - 1)
                .markup("</a>");
        }
        html.markup("</span><span>page ").text(page).markup(" of ").text(pages).markup("</span><span>");
        if page < pages {
            html.markup("<a rel=\"next\" href=\"?page=")
                .text(page + 1)
                .markup("\">page ")
                .text(page + 1)
                .markup(" →</a>");
        }
        html.markup("</span></p>\n");
    }
}

fn row(html: &mut Html, target: &TargetStatus) {
    html.markup("<tr><td>");
    badge(html, target.health);
    html.markup("</td><th scope=\"row\">").text(&target.probe).markup("<br><span class=\"dim\">");
    html.text(&target.module).markup("</span></th><td class=\"t\">").short(&target.target, TARGET);
    match &target.failure {
        Some(failure) => html.markup("<span class=\"why\">").short(failure, FAILURE).markup("</span>"),
        None if target.age.is_none() => html.markup("<br><span class=\"dim\">no run completed yet</span>"),
        None => html,
    };
    html.markup("</td><td>");
    if let Some(evidence) = &target.evidence {
        html.text(&evidence.function).markup(" / ").text(&evidence.capability);
    }
    html.markup("</td><td class=\"n\">").text(target.duration.map(took).unwrap_or_default());
    html.markup("</td><td class=\"n\">").text(target.age.map(ago).unwrap_or_default()).markup("</td></tr>\n");
}

#[allow(clippy::cast_possible_truncation)]
fn written(unix_seconds: f64, zone: &jiff::tz::TimeZone) -> String {
    jiff::Timestamp::from_second(unix_seconds as i64)
        .map(|time| time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string())
        .unwrap_or_default()
}

fn took(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds < 0.001 => format!("{} µs", duration.as_micros()),
        seconds if seconds < 1.0 => format!("{:.1} ms", seconds * 1000.0),
        seconds => format!("{seconds:.2} s"),
    }
}

fn ago(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..120 => format!("{seconds} s ago"),
        seconds @ 120..7200 => format!("{} min ago", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

fn plural(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_asked_for() {
        for (query, expected) in
            [(None, 1), (Some(""), 1), (Some("page=3"), 3), (Some("a=b&page=3&page=4"), 3), (Some("page=x"), 1)]
        {
            assert_eq!(page_of(query), expected, "{query:?}");
        }
    }

    #[test]
    fn durations_are_written_for_people() {
        for (seconds, expected) in [
            (0, "0 s ago"),
            (119, "119 s ago"),
            (120, "2 min ago"),
            (7199, "119 min ago"),
            (7200, "2 h ago"),
            (172_799, "47 h ago"),
            (172_800, "2 days ago"),
        ] {
            assert_eq!(ago(Duration::from_secs(seconds)), expected);
        }
        for (micros, expected) in [(5, "5 µs"), (1000, "1.0 ms"), (999_900, "999.9 ms"), (1_000_000, "1.00 s")] {
            assert_eq!(took(Duration::from_micros(micros)), expected);
        }
    }

    #[test]
    fn the_time_is_the_contracts() {
        let zone = jiff::tz::TimeZone::get("Asia/Tokyo").unwrap();
        assert_eq!(written(1_795_000_000.9, &zone), "2026-11-18 20:06:40 JST");
    }
}
