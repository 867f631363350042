//! Metrics other programs leave in `*.prom` files, as node_exporter's `textfile`.
//!
//! Each file is shown whole or refused whole; `sla_exporter_textfile_error` says which, the log says why,
//! once for each change. Not for: deciding whether what a file says is still true; that is what
//! `node_textfile_mtime_seconds` is for.

mod files;
pub(crate) mod line;
mod merge;
pub(crate) mod parse;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use self::files::Files;
use self::merge::{Merged, merge, parts};
use self::parse::Family;
use super::{Collector, Error, Pass};
use crate::exposition::{Format, Kind, Page};
use crate::probe::Metric;

const ERROR: &str = "sla_exporter_textfile_error";

#[derive(Debug)]
pub(super) struct Textfile {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    files: Files,
    /// What was last logged about the folder and each refused file.
    said: BTreeMap<PathBuf, String>,
}

impl Textfile {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), state: Mutex::default() }
    }
}

impl Collector for Textfile {
    fn name(&self) -> &'static str {
        "textfile"
    }

    fn owns(&self, family: &str) -> bool {
        family == ERROR || family.starts_with("node_textfile_")
    }

    fn collect(&self, pass: &mut Pass<'_>, page: &mut Page) -> Result<(), Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { files, said } = &mut *state;
        let folder_error = files.refresh(&self.folder, pass.kernel.unix_seconds()).err();

        let readable = files.0.iter().filter_map(|(path, file)| Some((path.as_path(), file.content.as_deref().ok()?)));
        let (families, refused) = merge(readable, |family| taken(pass, page, family));
        let mut refused = refused.into_iter();
        let errors: Vec<(&Path, f64, Option<String>)> = files
            .0
            .iter()
            .map(|(path, file)| {
                let error = match &file.content {
                    Ok(_) => refused.next().flatten(),
                    Err(error) => Some(error.clone()),
                };
                (path.as_path(), file.modified, error)
            })
            .collect();

        write_families(&families, page);
        write_files(&errors, folder_error.is_some(), page);
        let errors = errors.into_iter().filter_map(|(path, _, error)| Some((path.to_owned(), error?)));
        log(said, errors.chain(folder_error.map(|error| (self.folder.clone(), error))).collect());
        Ok(())
    }
}

/// Why a family cannot be shown beside what is on the page.
fn taken(pass: &Pass<'_>, page: &Page, family: &Family) -> Option<String> {
    let name = family.name.as_str();
    // Also those that are not on this page: a file must not come and go with our own series. Backups that only a script can see
    // (docs/backups.md) are the exception: where this exporter looks at some itself, their names are reserved on the page.
    let ours = (name.starts_with("sla_") && !crate::backups::is_family(name))
        || name.starts_with("node_scrape_collector_")
        || pass.owns(name)
        || ["probe_runs_total", "probe_failures_total"].contains(&name)
        || Metric::ALL.iter().any(|metric| metric.name() == name);
    // OpenMetrics calls the counter `x_total` by the name `x`: two families of ours must not become one.
    let counted = name.strip_suffix("_total").is_some_and(|base| page.has(base)) || page.has(&format!("{name}_total"));
    let has_part = || parts(family.kind).iter().any(|suffix| page.has(&format!("{name}{suffix}")));
    (ours || counted || page.has(name) || has_part())
        .then(|| format!("`{name}` is a metric of this exporter; give yours another name"))
}

fn write_families(families: &BTreeMap<&str, Merged<'_>>, page: &mut Page) {
    for (name, merged) in families {
        let kind = match (page.format(), merged.kind) {
            // OpenMetrics has no counter without `_total`, nor one beside a family with the rest of its name.
            (Format::OpenMetrics, Kind::Counter)
                if name.strip_suffix("_total").is_none_or(|base| base.is_empty() || families.contains_key(base)) =>
            {
                Kind::Untyped
            }
            (_, kind) => kind,
        };
        page.family(name, merged.help.unwrap_or("Metric read from a textfile that has no HELP for it."), kind);
        for (_, family) in &merged.members {
            page.raw(&family.samples);
        }
    }
}

fn write_files(files: &[(&Path, f64, Option<String>)], folder_failed: bool, page: &mut Page) {
    if files.iter().any(|(_, _, error)| error.is_none()) {
        page.family("node_textfile_mtime_seconds", "Unixtime mtime of textfiles successfully read.", Kind::Gauge);
        for (path, modified, _) in files.iter().filter(|(_, _, error)| error.is_none()) {
            page.sample(&[("file", &path.to_string_lossy())], *modified);
        }
    }
    let any = folder_failed || files.iter().any(|(_, _, error)| error.is_some());
    let help = "1 if there was an error opening or reading a file, 0 otherwise.";
    page.single("node_textfile_scrape_error", help, Kind::Gauge, f64::from(u8::from(any)));
    if !files.is_empty() {
        let help = "Whether a textfile is refused, and none of its metrics shown; the log says why.";
        page.family(ERROR, help, Kind::Gauge);
        for (path, _, error) in files {
            page.sample(&[("file", &path.to_string_lossy())], f64::from(u8::from(error.is_some())));
        }
    }
}

/// Logs what is new since the last scrape.
fn log(said: &mut BTreeMap<PathBuf, String>, errors: BTreeMap<PathBuf, String>) {
    let paths: BTreeSet<&PathBuf> = said.keys().chain(errors.keys()).collect();
    for path in paths {
        match (said.get(path), errors.get(path)) {
            (before, Some(error)) if before != Some(error) => tracing::warn!(%error, "a textfile is refused"),
            (Some(_), None) => tracing::info!(file = %path.display(), "a textfile is well again, or gone"),
            _ => {}
        }
    }
    *said = errors;
}
