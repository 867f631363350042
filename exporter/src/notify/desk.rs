//! One look after the other: what is due, who is to hear it, what they answered.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::alertmanager::{Alertmanagers, Answer, Members};
use super::{NoticeMetrics, Pace, Store};
use crate::app::App;
use crate::config::Config;
use crate::notices::book::{Book, NEWS, Todo};
use crate::notices::{self, Event, Functions};

/// What is forgotten, in seconds: older than any month that is shown.
const FORGET: i64 = 500 * 86_400;

/// Whoever posts.
pub(super) struct Desk {
    store: Store,
    pace: Pace,
    /// The members, and the settings they were made by.
    members: Option<(Arc<Alertmanagers>, Members)>,
    /// Requests under way.
    under_way: usize,
    answers: (UnboundedSender<Answer>, UnboundedReceiver<Answer>),
    /// Nothing falls due from the first to the second, as long as this configuration is in force.
    quiet: Option<(Arc<Config>, i64, i64)>,
}

/// How the functions are, by this site's own probes.
struct Now(Vec<(String, Option<bool>)>);

impl Functions for Now {
    fn is_up(&self, function: &str) -> Option<bool> {
        self.0.iter().find(|(name, _)| name == function).and_then(|(_, up)| *up)
    }
}

/// What is due, sorted by what is to be done.
struct Due<'a> {
    /// Accepted by nobody yet.
    news: Vec<Event<'a>>,
    /// Accepted, and posted again.
    insisted: Vec<Event<'a>>,
    /// The book was changed.
    changed: bool,
}

impl Desk {
    pub(super) fn new(storage: PathBuf, pace: Pace) -> Self {
        let store = Store::new(storage);
        Self { store, pace, members: None, under_way: 0, answers: unbounded_channel(), quiet: None }
    }

    /// Whether an answer is to come.
    pub(super) fn waits(&self) -> bool {
        self.under_way > 0
    }

    /// The next answer; waits for ever when nobody was asked.
    pub(super) async fn answer(&mut self) -> Answer {
        match self.answers.1.recv().await {
            Some(answer) => answer,
            // Never: this end has a sender itself.
            None => std::future::pending().await,
        }
    }

    /// Posts what is due at `now`; does not wait for the answers.
    pub(super) async fn look(&mut self, app: &App, config: &Arc<Config>, to: &Arc<Alertmanagers>, now: i64) {
        let quiet =
            |(of, from, until): &(Arc<Config>, i64, i64)| Arc::ptr_eq(of, config) && (*from..*until).contains(&now);
        if self.quiet.as_ref().is_some_and(quiet) {
            return;
        }
        self.quiet = None;
        let (contract, urls) = (&config.contract, to.urls());
        let functions = Now(app.functions());
        let Some(book) = self.store.book(&contract.name).await else {
            // Told or not, nobody knows: they wait.
            let due = notices::due(&config.ledger, &Book::default(), to.reminder(), &functions, now);
            let waiting = due.iter().filter(|event| event.at + NEWS > now).count();
            app.notices().stands(&contract.name, waiting, false, &urls);
            return;
        };
        let due = sort(book, config, to.reminder(), &functions, now);
        let next = notices::next(&config.ledger, book, to.reminder(), now);
        if due.changed {
            book.forget(now - FORGET);
            show_told(app.notices(), book);
            self.store.changed();
        }
        // First: what is passed over at the first start is not to be news at the second.
        self.store.save().await;

        let members = match &mut self.members {
            Some((settings, members)) if Arc::ptr_eq(settings, to) => members,
            slot => &mut slot.insert((Arc::clone(to), to.connect())).1,
        };
        self.under_way += members.post(&due.news, &due.insisted, contract, now, self.pace, &self.answers.0);
        app.notices().stands(&contract.name, due.news.len(), self.store.is_ok(), &urls);
        if due.news.is_empty() && due.insisted.is_empty() && self.store.is_ok() && next > now {
            self.quiet = Some((Arc::clone(config), now, next));
        }
    }

    /// Notes an answer.
    pub(super) async fn heard(&mut self, app: &App, answer: Answer, now: i64) {
        self.under_way = self.under_way.saturating_sub(1);
        match &answer.result {
            Ok(()) => {
                let mut new = false;
                if let Some(book) = self.store.book(&answer.contract).await {
                    for posted in &answer.posted {
                        if book.accepted(posted, now) {
                            new = true;
                            tracing::info!(notice = posted.key, "notice to customers posted");
                        }
                    }
                    if new && app.config().contract.name == answer.contract {
                        show_told(app.notices(), book);
                    }
                }
                if new {
                    self.store.changed();
                    self.store.save().await;
                }
            }
            Err(refusal) => {
                let (url, notices) = (&answer.url, answer.posted.len());
                tracing::warn!(alertmanager = url, notices, "notices not posted, tried again: {}", refusal.why);
                app.notices().failed(url);
            }
        }
        if let Some((_, members)) = &mut self.members {
            members.heard(&answer, self.pace);
        }
    }
}

fn sort<'a>(book: &mut Book, config: &'a Config, reminder: i64, functions: &Now, now: i64) -> Due<'a> {
    let mut due = Due { news: Vec::new(), insisted: Vec::new(), changed: book.study(&config.ledger, now) };
    for event in notices::due(&config.ledger, book, reminder, functions, now) {
        match book.todo(&event, now) {
            Todo::Nothing => {}
            Todo::PassOver => {
                book.pass_over(&event, now);
                due.changed = true;
            }
            Todo::Post if book.is_told(&event) => due.insisted.push(event),
            Todo::Post => due.news.push(event),
        }
    }
    due.changed |= book.begin();
    due
}

fn show_told(page: &NoticeMetrics, book: &Book) {
    page.told(book.told().map(|(key, at)| (key.to_owned(), at)).collect());
}
