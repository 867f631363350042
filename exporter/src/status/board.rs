//! What the running exporter knows for its status page, and the documents it rendered last.
//!
//! Requests read; they never ask Prometheus. Documents are kept for a few seconds: however many customers look at once, a
//! document is rendered once. Bounded by the number of documents. Not for: asking (`refresh`), HTTP (`server`).

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::time::Instant;

use super::document::{Document, Place};
use super::history::{History, Measurements};
use super::page::Page;
use crate::app::App;
use crate::clock;
use crate::config::Config;
use crate::lang::Lang;

/// For how long a document is served as it was rendered.
pub const KEPT: Duration = Duration::from_secs(5);
/// What Prometheus said longer ago than this, in seconds, says nothing about now.
const FRESH: i64 = 90;

/// The functions' states as a Prometheus said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Now {
    /// When it was asked.
    pub at: i64,
    /// Of which contract.
    pub contract: String,
    /// The functions of which it knows something.
    pub up: BTreeMap<String, bool>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Board {
    now: ArcSwapOption<Now>,
    measured: ArcSwapOption<Measurements>,
    url: ArcSwapOption<String>,
    kept: Mutex<Kept>,
}

type KeptHistory = (Arc<Config>, Arc<Measurements>, Option<Arc<History>>);

#[derive(Debug, Default)]
struct Kept {
    page: Option<(Arc<Config>, Instant, Arc<Page>)>,
    documents: HashMap<(Document, Lang), Arc<[u8]>>,
    /// The history, and what it was made of: it takes longer than all else.
    history: Option<KeptHistory>,
}

impl Board {
    /// Where customers see the page.
    pub fn set_url(&self, url: Option<&str>) {
        self.url.store(url.map(|url| Arc::new(url.to_owned())));
    }

    /// What a Prometheus said about now.
    pub fn tell_now(&self, now: Now) {
        self.now.store(Some(Arc::new(now)));
    }

    /// What a Prometheus said about the past.
    pub fn tell_measured(&self, measured: Measurements) {
        self.measured.store(Some(Arc::new(measured)));
    }

    /// A document as it is now; nothing where there is no such one. Blocks while it is rendered: call it off the async threads.
    #[must_use]
    pub fn document(&self, app: &App, document: &Document, lang: Lang) -> Option<Arc<[u8]>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let page = self.page(app, &mut kept);
        if let Some(content) = kept.documents.get(&(document.clone(), lang)) {
            return Some(Arc::clone(content));
        }
        let content: Arc<[u8]> = document.render(&page, lang, Place::Served)?.into();
        kept.documents.insert((document.clone(), lang), Arc::clone(&content));
        Some(content)
    }

    fn page(&self, app: &App, kept: &mut Kept) -> Arc<Page> {
        let config = app.config();
        if let Some((of, at, page)) = &kept.page
            && Arc::ptr_eq(of, &config)
            && at.elapsed() < KEPT
        {
            return Arc::clone(page);
        }
        let now = clock::whole_seconds();
        let history = self.history(&config, kept);
        let page = Page::of(
            &config,
            &self.up(app, &config, now),
            history,
            self.url.load().as_deref().map(String::as_str),
            now,
        );
        let page = Arc::new(page);
        kept.documents.clear();
        kept.page = Some((config, Instant::now(), Arc::clone(&page)));
        page
    }

    /// By Prometheus, which knows what all sites say; where it does not answer, by this site's own probes.
    fn up(&self, app: &App, config: &Config, now: i64) -> BTreeMap<String, bool> {
        match self.now.load().as_ref().filter(|said| said.contract == config.contract.name && now - said.at < FRESH) {
            Some(said) => said.up.clone(),
            None => app.functions().into_iter().filter_map(|(function, up)| Some((function, up?))).collect(),
        }
    }

    fn history(&self, config: &Arc<Config>, kept: &mut Kept) -> Option<Arc<History>> {
        let measured = self.measured.load_full()?;
        match &kept.history {
            Some((of, from, history)) if Arc::ptr_eq(of, config) && Arc::ptr_eq(from, &measured) => history.clone(),
            _ => {
                let history = History::of(config, &measured).map(Arc::new);
                kept.history = Some((Arc::clone(config), measured, history.clone()));
                history
            }
        }
    }
}
