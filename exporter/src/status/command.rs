//! `sla-exporter status-page`: the status page as files, for any web server.
//!
//! Each file is replaced as a whole; when Prometheus does not answer, nothing is written and the files of before stay.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::{fs, io};

use super::document::{Document, Place};
use super::history::History;
use super::page::Page;
use super::refresh;
use crate::cli::StatusPageFlags;
use crate::config::{self, Config, Diagnostic};
use crate::lang::Lang;
use crate::prometheus_api::{Client, Settings};
use crate::{atomic_file, clock};

/// Writes the page.
#[must_use]
pub fn run(flags: &StatusPageFlags) -> ExitCode {
    match write(flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(io::stderr(), "{why}");
            ExitCode::FAILURE
        }
    }
}

fn write(flags: &StatusPageFlags) -> Result<(), String> {
    let texts = |findings: Vec<Diagnostic>| findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let config = config::load(&flags.config_file).map_err(texts)?.config;
    let page = page(flags, &config)?;
    for lang in Lang::ALL {
        let folder = if lang == Lang::En { flags.out.join("en") } else { flags.out.clone() };
        for document in Document::all(&page) {
            // Of a badge the page has; of all others there is one.
            let Some(content) = document.render(&page, lang, Place::Files) else { continue };
            let file = folder.join(document.file());
            replace(&file, &content).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        }
    }
    Ok(())
}

fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    atomic_file::write(file, content)
}

fn page(flags: &StatusPageFlags, config: &Config) -> Result<Page, String> {
    let settings = Settings::from_flags(&flags.prometheus).map_err(|error| error.to_string())?;
    for warning in &settings.warnings {
        let _ = writeln!(io::stderr(), "{warning}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let at = clock::whole_seconds();
    runtime.block_on(async {
        let mut client = Client::new(settings);
        let now = refresh::now(&mut client, &config.contract, at).await.map_err(|error| error.to_string())?;
        let measured =
            refresh::measurements(&mut client, &config.contract, at).await.map_err(|error| error.to_string())?;
        let history = History::of(config, &measured).map(Arc::new);
        Ok(Page::of(config, &now.up, history, flags.url.as_deref(), at))
    })
}
