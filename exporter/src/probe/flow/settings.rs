//! The section `http_flow` of a module.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use hyper::header::HeaderName;

use super::request;
use super::step::{self, Action, Step, positive};
use super::template::{Template, check_name};
use crate::config::decode::{Cursor, did_you_mean};
use crate::config::masked;
use crate::probe::Section;
use crate::probe::net::{IpChoice, source_ip_address};
use crate::probe::tls::{self, TlsSettings};
use crate::secret::SecretSource;

/// Bytes of a body that are read when the module says nothing.
const DEFAULT_BODY_LIMIT: u64 = 1 << 20;
/// The largest `body_size_limit`: what is searched is held in memory, several times over.
const MAX_BODY_LIMIT: u64 = 8 << 20;
/// Steps of a module, and of its clean-up.
const MAX_STEPS: usize = 50;
/// Variables of a module.
const MAX_VARIABLES: usize = 50;
/// Variables that are always there.
pub(super) const BUILT_IN: [&str; 2] = ["run_id", "target"];

/// Settings of the section `http_flow`.
pub struct Settings {
    pub(super) ip: IpChoice,
    pub(super) source: Option<IpAddr>,
    pub(super) tls: TlsSettings,
    pub(super) headers: Vec<(HeaderName, Template)>,
    pub(super) variables: Vec<(String, Variable)>,
    pub(super) body_limit: u64,
    pub(super) step_timeout: Option<Duration>,
    pub(super) cleanup_timeout: Option<Duration>,
    pub(super) steps: Vec<Step>,
    pub(super) cleanup: Vec<Step>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.steps.iter().map(|step| step.name.as_str()).collect();
        f.debug_struct("Settings").field("steps", &names).finish_non_exhaustive()
    }
}

/// Where a variable's value comes from.
#[derive(Clone, Debug)]
pub(super) enum Variable {
    Text(String),
    File(SecretSource),
}

impl Settings {
    /// Whether a run shows the target something nobody else should see.
    pub(in crate::probe) fn sends_credentials(&self) -> bool {
        let secret = |step: &Step| match &step.action {
            Action::Http(request) => request.login.is_some(),
            Action::Postgres(query) => query.settings.sends_credentials(),
        };
        self.variables.iter().any(|(_, variable)| matches!(variable, Variable::File(_)))
            || self.steps.iter().chain(&self.cleanup).any(secret)
    }
}

/// Reads the section `http_flow` of a module.
pub fn decode(mut map: Section<'_>) -> Option<Settings> {
    let ip = IpChoice::decode(&mut map);
    let source = source_ip_address(&mut map);
    let tls = tls::decode(map.get("tls_config"), &[b"h2", b"http/1.1"]);
    let headers = map.get("headers").map_or(Some((Vec::new(), None)), |c| Some((request::headers(&c)?, Some(c))));
    let variables = map.get("variables").map_or(Some(Vec::new()), |c| variables(&c));
    let body_limit = map.get("body_size_limit").map_or(Some(DEFAULT_BODY_LIMIT), |c| {
        let limit = c.bytes()?;
        if (1..=MAX_BODY_LIMIT).contains(&limit) {
            Some(limit)
        } else {
            c.error("a body is searched in memory; write a size from 1B to 8MB, such as 1MB")
        }
    });
    let step_timeout = map.get("step_timeout").map_or(Some(None), |c| positive(&c).map(Some));
    let cleanup_timeout = map.get("cleanup_timeout").map_or(Some(None), |c| positive(&c).map(Some));
    let steps = map.require("steps").and_then(|c| Some((steps_of(&c)?, c)));
    let cleanup = map.get("cleanup").map_or(Some(Vec::new()), |c| steps_of(&c));
    map.finish();
    let (steps, at) = steps?;
    if steps.is_empty() {
        return at.error("a flow has at least one step");
    }
    let (cleanup, variables, (headers, usual_at)) = (cleanup?, variables?, headers?);
    let mut known: BTreeSet<&str> =
        BUILT_IN.into_iter().chain(variables.iter().map(|(name, _)| name.as_str())).collect();
    let mut good = true;
    if let Some(cursor) = usual_at {
        good &= all_known(&cursor, headers.iter().flat_map(|(_, template)| template.names()), &known);
    }
    let mut names = BTreeSet::new();
    for (step, cursor) in steps.iter().chain(&cleanup) {
        good &= all_known(cursor, step.names().into_iter(), &known);
        known.extend(step.captures.iter().map(|capture| capture.name.as_str()));
        if !names.insert(step.name.as_str()) {
            good = false;
            cursor.error::<()>(format_args!("another step is called `{}`; each has a name of its own", step.name));
        }
    }
    if !good {
        return None;
    }
    let only = |steps: Vec<(Step, Cursor<'_>)>| steps.into_iter().map(|(step, _)| step).collect();
    Some(Settings {
        ip: ip?,
        source: source?,
        tls: tls?,
        headers,
        variables,
        body_limit: body_limit?,
        step_timeout: step_timeout?,
        cleanup_timeout: cleanup_timeout?,
        steps: only(steps),
        cleanup: only(cleanup),
    })
}

fn steps_of<'a>(cursor: &Cursor<'a>) -> Option<Vec<(Step, Cursor<'a>)>> {
    let list = cursor.list()?;
    if list.len() > MAX_STEPS {
        return cursor.error(format_args!("{} steps; at most {MAX_STEPS} are accepted", list.len()));
    }
    let wanted = list.len();
    let found: Vec<_> = list.into_iter().filter_map(|c| Some((step::decode(&c)?, c))).collect();
    (found.len() == wanted).then_some(found)
}

fn all_known<'n>(cursor: &Cursor<'_>, names: impl Iterator<Item = &'n str>, known: &BTreeSet<&str>) -> bool {
    let mut good = true;
    for name in names.filter(|name| !known.contains(name)) {
        good = false;
        let list = crate::config::names::list(known.iter().copied());
        cursor.error::<()>(format_args!(
            "variable `{name}` is not known here; known: {list}{}",
            did_you_mean(name, known.iter().copied())
        ));
    }
    good
}

fn variables(cursor: &Cursor<'_>) -> Option<Vec<(String, Variable)>> {
    let entries = cursor.named()?;
    if entries.len() > MAX_VARIABLES {
        return cursor.error(format_args!("{} variables; at most {MAX_VARIABLES} are accepted", entries.len()));
    }
    let wanted = entries.len();
    let found: Vec<_> = entries
        .into_iter()
        .filter_map(|(name, mark, cursor)| {
            let taken = BUILT_IN.contains(&name).then(|| format!("`{name}` is there already; choose another name"));
            if let Err(why) = check_name(name).and_then(|()| taken.map_or(Ok(()), Err)) {
                cursor.error_at(mark, why);
                return None;
            }
            let variable = match &cursor.node().value {
                crate::config::node::Value::Map(_) => {
                    let mut map = cursor.map()?;
                    let path = map.require("file").and_then(|c| Some((c.non_empty()?, c)));
                    map.finish();
                    let (path, at) = path?;
                    let source = SecretSource::File(cursor.document().resolve(&path));
                    if let Err(why) = source.read() {
                        at.warn(why);
                    }
                    Variable::File(source)
                }
                _ if masked::is_secret(name) && !cursor.document().inline_secrets => {
                    return cursor
                        .error("a secret does not belong in this file; write it to a file of its own: {file: …}");
                }
                _ => Variable::Text(cursor.string()?),
            };
            Some((name.to_owned(), variable))
        })
        .collect();
    (found.len() == wanted).then_some(found)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::diagnostics::Document;
    use crate::config::node;
    use crate::probe::testing;

    const REFERENCE: &str = include_str!("../../../../docs/modules/http_flow.md");

    #[track_caller]
    fn finds(steps: &str, message: &str) {
        testing::finds(&format!("{{steps: [{steps}]}}"), decode, message);
    }

    #[test]
    fn a_path_is_all_that_a_step_must_say() {
        let (settings, findings) = testing::read("{steps: [{name: a, request: {url: /}}]}", decode);
        assert_eq!(findings, Vec::<String>::new());
        let settings = settings.unwrap();
        assert_eq!((settings.steps.len(), settings.cleanup.len(), settings.body_limit), (1, 0, DEFAULT_BODY_LIMIT));
        assert!(!settings.sends_credentials());
    }

    #[test]
    fn what_does_not_fit_is_said_with_its_place() {
        testing::finds("{}", decode, "`steps` is missing");
        testing::finds("{steps: []}", decode, "a flow has at least one step");
        finds("{name: a}", "steps[0]: a step has a `request` or a `postgres`; neither is there");
        finds("{request: {url: /}}", "`name` is missing");
        finds("{name: a, request: {}}", "steps[0].request: `url` is missing");
        finds("{name: a, request: {url: login}}", "write a path of the target such as /login");
        finds("{name: a, request: {url: \"/{{who\"}}", "without `}}`");
        finds(
            "{name: a, request: {url: \"/{{run_idd}}\"}}",
            "variable `run_idd` is not known here; known: run_id, target (did you mean `run_id`?)",
        );
        finds("{name: a, request: {url: /}}, {name: a, request: {url: /}}", "another step is called `a`");
        finds("{name: a, request: {url: /, form: {a: b}, json: {}}}", "give one of `body`");
        finds("{name: a, request: {url: /, headers: {Cookie: x}}}", "is not the step's to say");
        finds(
            "{name: a, request: {url: /, headers: {Authorization: hunter2}}}",
            "a secret does not belong in this file",
        );
        finds("{name: a, request: {url: /, method: CONNECT}}", "is not a method that can be sent");
        finds("{name: a, request: {url: /}, timeout: 0s}", "0s leaves no time");
        finds("{name: a, request: {url: /}, expect: {status: 700}}", "is not a status; write for example 200, or 2xx");
        finds(
            "{name: a, request: {url: /}, expect: {checks: [{css: p, absent: true, count: 1}]}}",
            "leaves nothing to compare",
        );
        finds(
            "{name: a, request: {url: /, follow_redirects: true}, expect: {redirect: x}}",
            "leave `follow_redirects` out",
        );
        finds("{name: a, request: {url: /}, capture: {\"a-b\": {css: p}}}", "is not a variable's name");
        finds("{name: a, request: {url: /}, expect: {checks: [{value: true}]}}", "say where to look");
        finds("{name: a, postgres: {user: u}}", "`target` is missing");
        finds("{name: a, postgres: {target: db, user: u}, expect: {status: 200}}", "unknown key `status`");
        finds("{name: a, postgres: {target: db, user: u, query: \"{{x}}\"}}", "variable `x` is not known here");
        for (variables, message) in [
            ("password: hunter2", "a secret does not belong in this file"),
            ("run_id: x", "`run_id` is there already"),
            ("a b: x", "is not a variable's name"),
            ("a: {file: /nonexistent/x}", "warning: variables.a.file: cannot read secret file"),
        ] {
            let yaml = format!("{{variables: {{{variables}}}, steps: [{{name: a, request: {{url: /}}}}]}}");
            testing::finds(&yaml, decode, message);
            assert!(!testing::read(&yaml, decode).1.iter().any(|finding| finding.contains("hunter2")));
        }
    }

    #[test]
    fn what_is_captured_is_known_afterwards_and_not_before() {
        let capture = "{name: a, request: {url: /}, capture: {id: {css: p}}}";
        let using = "{name: b, request: {url: \"/{{id}}\"}}";
        let read = |yaml: String| testing::read(&yaml, decode).1;
        assert_eq!(read(format!("{{steps: [{capture}, {using}]}}")), Vec::<String>::new());
        assert_eq!(read(format!("{{steps: [{capture}], cleanup: [{using}]}}")), Vec::<String>::new());
        assert!(
            read(format!("{{steps: [{using}, {capture}]}}"))[0].contains("steps[0]: variable `id` is not known here")
        );
    }

    #[test]
    fn the_reference_has_every_key() {
        let doc = Document::recording(Path::new("sla.yml"));
        let text = "{variables: {a: {file: x}}, steps: [{name: a, request: {url: /, multipart: [{name: f, value: v}]}, \
                    expect: {checks: [{css: p}]}, capture: {x: {css: p}}}, {name: b, postgres: {target: db, user: u}}]}";
        let tree = node::parse(text).unwrap();
        decode(Cursor::root(&doc, &tree).map().unwrap());
        let keys: Vec<String> = doc.accepted_keys().into_iter().filter(|path| !path.contains("postgres.")).collect();
        assert!(keys.len() > 50, "{keys:?}");
        for key in keys.iter().filter_map(|path| path.rsplit('.').next()).filter(|key| *key != "bearer_token") {
            let named = [format!("{key}:"), format!("`{key}`")].iter().any(|form| REFERENCE.contains(form));
            assert!(named, "docs/modules/http_flow.md does not have `{key}`");
        }
    }
}
