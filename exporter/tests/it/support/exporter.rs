//! An exporter within the test: the configuration of a file in force, what its page shows, and what a bad file is told.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sla_exporter::app::{App, Options, Source};
use sla_exporter::config;
use sla_exporter::exposition::Format;
use sla_exporter::host::Roots;
use sla_exporter::probe::Shared;

/// What a process is started with where a test says nothing of it.
pub(crate) fn options() -> Options {
    Options { roots: Roots::default(), places: 100, credentials_anywhere: false }
}

/// An exporter with the configuration in `file`, which must be good; nothing runs yet.
#[track_caller]
pub(crate) fn exporter(file: &Path) -> Arc<App> {
    exporter_at(file, Roots::default())
}

/// The same, with the host at `roots`.
#[track_caller]
pub(crate) fn exporter_at(file: &Path, roots: Roots) -> Arc<App> {
    let source = Source::File(file.to_owned());
    let loaded = source.load().unwrap_or_else(|findings| panic!("{findings:#?}"));
    App::new(loaded, source, Shared::new(), Options { roots, ..options() })
}

/// The page it shows.
pub(crate) async fn page(app: &Arc<App>) -> String {
    let app = Arc::clone(app);
    String::from_utf8(tokio::task::spawn_blocking(move || app.render(Format::Text)).await.unwrap()).unwrap()
}

/// The page once it has a line that begins as each of `lines`.
pub(crate) async fn shows(app: &Arc<App>, lines: &[impl AsRef<str>]) -> String {
    for _ in 0..600 {
        let page = page(app).await;
        if lines.iter().all(|line| page.lines().any(|found| found.starts_with(line.as_ref()))) {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let wanted: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
    panic!("{wanted:?} did not come:\n{}", page(app).await)
}

/// What `config::load` finds wrong with a configuration of this text; it must be refused.
#[track_caller]
pub(crate) fn refused(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sla.yml");
    std::fs::write(&file, text).unwrap();
    config::load(&file).expect_err(text).iter().map(ToString::to_string).collect()
}
