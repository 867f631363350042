//! What a JSON body must be, in the Common Expression Language: `fail_if_body_json_matches_cel` and its opposite.
//!
//! An expression is checked and compiled with the configuration, and evaluated on a thread of its own. Neither a body nor
//! an expression can take more than its share of time and memory (`meter`, `value`); what goes wrong fails the probe and
//! says why. Not for other texts than JSON, and no scripting: CEL has neither loops without an end nor effects.

mod meter;
mod program;
#[cfg(test)]
mod tests;
mod value;

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use tokio::sync::{Semaphore, oneshot};

use self::program::Program;
use crate::config::decode::{MapCursor, shorten};
use crate::probe::{Failure, Reason};

/// Evaluations at a time: the memory of all of them together is bounded, and no more threads are busy with them.
static AT_A_TIME: Semaphore = Semaphore::const_new(2);
/// Those for requests, which could otherwise keep the scheduler's runs waiting.
static OF_REQUESTS: Semaphore = Semaphore::const_new(1);

/// Stack of a thread that compiles or evaluates; what of it is not used takes no memory.
const STACK: usize = 128 << 20;

/// The two expressions, where there are any.
#[derive(Clone, Debug, Default)]
pub(super) struct JsonAssertions(Option<Arc<Both>>);

#[derive(Debug)]
struct Both {
    matches: Option<Program>,
    not_matches: Option<Program>,
}

impl JsonAssertions {
    /// Reads the keys; both of them, also after an error.
    pub(super) fn decode(map: &mut MapCursor<'_>) -> Option<Self> {
        let matches = program(map, "fail_if_body_json_matches_cel");
        let not_matches = program(map, "fail_if_body_json_not_matches_cel");
        let both = Both { matches: matches?, not_matches: not_matches? };
        let any = both.matches.is_some() || both.not_matches.is_some();
        Some(Self(any.then(|| Arc::new(both))))
    }

    /// Whether there is any.
    pub(super) fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Judges the body, in a run of a request or of the scheduler.
    ///
    /// # Errors
    /// Reason `body`: it is not JSON, an expression says no, or has no answer for it.
    pub(super) async fn check(&self, body: &Bytes, of_request: bool) -> Result<(), Failure> {
        let Some(both) = &self.0 else { return Ok(()) };
        let interrupted = || Failure::new(Reason::Internal, "evaluating the CEL expression was interrupted");
        let places = if of_request { &OF_REQUESTS } else { &AT_A_TIME };
        let permit = places.acquire().await.map_err(|_| interrupted())?;
        let (both, body) = (Arc::clone(both), body.clone());
        let (sender, receiver) = oneshot::channel();
        // The place is free when the evaluation ends, also where nobody waits for it any longer. A library that panics ends
        // its thread, and the sender with it.
        on_a_thread(move || {
            drop(sender.send(both.check(&body)));
            drop(permit);
        })
        .map_err(|why| Failure::new(Reason::Internal, format_args!("no thread for the CEL expression: {why}")))?;
        receiver.await.map_err(|_| interrupted())?
    }
}

/// Runs `work`, which recurses, where there is room for it.
fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<JoinHandle<T>> {
    std::thread::Builder::new().name("cel".to_owned()).stack_size(STACK).spawn(work)
}

impl Both {
    fn check(&self, body: &[u8]) -> Result<(), Failure> {
        let body = value::parse(body).map_err(|why| {
            Failure::new(Reason::Body, format_args!("the body is not JSON that can be judged: {why}"))
        })?;
        let rules = [
            ("fail_if_body_json_matches_cel", &self.matches, true),
            ("fail_if_body_json_not_matches_cel", &self.not_matches, false),
        ];
        for (key, program, fails) in rules {
            let Some(program) = program else { continue };
            let source = shorten(program.source());
            let failure = |what: &str| Failure::new(Reason::Body, format_args!("{key}: {what}: `{source}`"));
            match program.decide(body.clone()) {
                Ok(answer) if answer == fails => {
                    return Err(failure(if fails { "the body matches" } else { "the body does not match" }));
                }
                Ok(_) => {}
                Err(why) => return Err(failure(&why)),
            }
        }
        Ok(())
    }
}

// absent and wrong are two things here
fn program(map: &mut MapCursor<'_>, key: &'static str) -> Option<Option<Program>> {
    let Some(cursor) = map.get(key) else { return Some(None) };
    match Program::compile(&cursor.non_empty()?) {
        Ok(program) => Some(Some(program)),
        Err(why) => cursor.error(why),
    }
}
