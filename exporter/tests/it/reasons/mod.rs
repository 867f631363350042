//! Every reason a prober's page names is provoked with a real server, and every reason there is has a page that names it.
//!
//! This is the one list: a page without an entry here fails, so does a reason of a page that its entry does not provoke, and so
//! does a reason of the product that no page names. What is said is held, too: where to look, what was found, what was expected.

mod dns;
mod http;
mod http_flow;
mod icmp;
pub(crate) mod peers;
mod postgres;
mod printed;
mod tcp;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use sla_exporter::probe::Reason;

use crate::support::{module, run};

/// A page of docs/modules, and who provokes its reasons; each is a test of the page's name.
macro_rules! pages {
    ($($page:ident: $provoke:path),+ $(,)?) => {
        const PAGES: &[&str] = &[$(stringify!($page)),+];

        mod provoked_by {
            $(#[test]
            fn $page() {
                super::on_a_thread($provoke);
            })+
        }
    };
}

pages! {
    clamd: crate::clamd::provoke,
    dns: crate::reasons::dns::provoke,
    grpc: crate::grpc::provoke,
    http: crate::reasons::http::provoke,
    http_flow: crate::reasons::http_flow::provoke,
    icmp: crate::reasons::icmp::provoke,
    postgres: crate::reasons::postgres::provoke,
    tcp: crate::reasons::tcp::provoke,
    unix: crate::unix::provoke,
    websocket: crate::websocket::provoke,
}

/// Runs it on a thread of its own, which may give up what root may do.
fn on_a_thread<R: Future<Output = ()> + 'static>(provoke: fn() -> R) {
    let thread = std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(provoke());
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// From here on even root may, on this thread, write only where the bits of a file permit it: a socket can be forbidden.
pub(crate) fn humbly() {
    if let Ok(mut sets) = capabilities(None) {
        sets.effective -= CapabilitySet::DAC_OVERRIDE;
        set_capabilities(None, sets).unwrap();
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/modules")
}

/// The reasons in the first column of the page's table of reasons.
fn documented(page: &str) -> BTreeSet<Reason> {
    let text = std::fs::read_to_string(folder().join(page).with_extension("md")).unwrap();
    let (_, table) = text.split_once("| reason | when |").expect("a table of reasons");
    let cells =
        table.lines().skip(1).take_while(|line| line.starts_with('|')).filter_map(|line| line.split('|').nth(1));
    let words: Vec<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    words.iter().map(|word| *Reason::ALL.iter().find(|r| r.as_str() == *word).expect(word)).collect()
}

/// One provocation.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    reason: Reason,
    /// What the message must say, all of it.
    says: &'static [&'static str],
    /// The prober's section of the module.
    section: String,
    target: String,
}

/// A run of a module with this section against `target` must end with `reason` and say so.
pub(crate) fn case(
    reason: Reason,
    says: &'static [&'static str],
    section: impl Into<String>,
    target: impl Into<String>,
) -> Case {
    Case { reason, says, section: section.into(), target: target.into() }
}

impl Case {
    fn module(&self, prober: &str) -> String {
        // On a busy machine, whatever is not to wait has time.
        let timeout = if self.reason == Reason::Timeout { "2s" } else { "20s" };
        format!("{{prober: {prober}, timeout: {timeout}, {prober}: {}}}", self.section)
    }

    /// What is wrong with a failure that this should have been.
    fn judge(&self, reason: Reason, detail: &str) -> Vec<String> {
        println!("{reason}: {detail}");
        let mut problems = Vec::new();
        if reason != self.reason {
            problems.push(format!("{}, not {reason}: {self:?}: {detail}", self.reason));
        }
        for words in self.says.iter().filter(|words| !detail.contains(**words)) {
            problems.push(format!("{reason} should say `{words}`: {detail}"));
        }
        if detail.chars().count() > 301 || detail.is_empty() || detail.contains(char::is_control) {
            problems.push(format!("not a message: {detail}"));
        }
        problems
    }
}

/// Fails unless what was provoked is what the page names.
#[track_caller]
fn complete(page: &str, provoked: impl IntoIterator<Item = Reason>) {
    assert_eq!(provoked.into_iter().collect::<BTreeSet<_>>(), documented(page), "{page}.md names the right ones");
}

/// Runs the cases of `page`, all at once, and fails unless each ends as it says and all of them as the page does.
pub(crate) async fn check(page: &str, cases: &[Case]) {
    let problems = join_all(cases.iter().map(async |case| {
        let module = module(&case.module(page));
        let run = run(&module, &case.target).await;
        match &run.failure {
            Some(failure) => case.judge(failure.reason, &failure.detail),
            None => vec![format!("succeeded: {case:?}")],
        }
    }))
    .await;
    let problems = problems.concat();
    assert!(problems.is_empty(), "{page}:\n{}", problems.join("\n"));
    complete(page, cases.iter().map(|case| case.reason));
}

#[test]
fn every_page_is_provoked_and_every_reason_is_on_a_page() {
    let files = std::fs::read_dir(folder()).unwrap();
    let mut found: Vec<String> =
        files.map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
    found.sort();
    assert_eq!(found, PAGES);
    let named: BTreeSet<Reason> = PAGES.iter().flat_map(|page| documented(page)).collect();
    assert_eq!(named.into_iter().collect::<Vec<_>>(), Reason::ALL);
}
