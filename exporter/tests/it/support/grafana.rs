//! A stand-in for Grafana's annotations API, kept to what its documentation and its answers say.
//!
//! Tags of a question are AND-ed, 100 annotations are the default limit, those with the latest ends come first, PATCH keeps what
//! it is not given, an annotation needs a text, and the tags of one have 500 bytes together. Not for: dashboards, alerts, users.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use url::form_urlencoded;

use super::http::{Server, answer, serve};

/// The token that may do everything.
pub(crate) const TOKEN: &str = "glsa_hunter2";
/// The one that may only read.
pub(crate) const READER: &str = "glsa_reader";

/// A running stand-in.
pub(crate) struct Grafana {
    pub(crate) server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    next: i64,
    all: BTreeMap<i64, Value>,
    /// Answered instead, while it is there.
    instead: Option<Vec<u8>>,
    /// Refuses to create what has this in its text.
    refused: Option<String>,
}

impl Grafana {
    pub(crate) async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let server = serve(move |request| shared.lock().unwrap().answer(request)).await;
        Self { server, state }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url("")
    }

    /// Draws one as a person does; returns its number.
    pub(crate) fn draw(&self, annotation: Value) -> i64 {
        self.state.lock().unwrap().add(annotation)
    }

    /// All of them, by number.
    pub(crate) fn all(&self) -> BTreeMap<i64, Value> {
        self.state.lock().unwrap().all.clone()
    }

    pub(crate) fn delete(&self, id: i64) {
        self.state.lock().unwrap().all.remove(&id).expect("an annotation to delete");
    }

    pub(crate) fn edit(&self, id: i64, key: &str, value: Value) {
        self.state.lock().unwrap().all.get_mut(&id).expect("an annotation to edit")[key] = value;
    }

    /// From now on answers this to everything; nothing: as usual again.
    pub(crate) fn say(&self, instead: Option<Vec<u8>>) {
        self.state.lock().unwrap().instead = instead;
    }

    /// From now on fails to create what has this in its text.
    pub(crate) fn refuse(&self, text: &str) {
        self.state.lock().unwrap().refused = Some(text.to_owned());
    }

    /// How often a method was used.
    pub(crate) fn count(&self, method: &str) -> usize {
        self.server.requests().iter().filter(|request| request.starts_with(method)).count()
    }
}

impl State {
    fn add(&mut self, mut annotation: Value) -> i64 {
        self.next += 1;
        let time = annotation["time"].clone();
        for (key, usual) in [("timeEnd", time), ("tags", json!([])), ("text", json!("")), ("login", json!("somebody"))]
        {
            if annotation[key].is_null() {
                annotation[key] = usual;
            }
        }
        annotation["id"] = json!(self.next);
        self.all.insert(self.next, annotation);
        self.next
    }

    fn answer(&mut self, request: &str) -> Vec<u8> {
        if let Some(instead) = &self.instead {
            return instead.clone();
        }
        let (head, body) = request.split_once("\r\n\r\n").unwrap_or_default();
        let mut line = head.lines().next().unwrap_or_default().split(' ');
        let (method, target) = (line.next().unwrap_or_default(), line.next().unwrap_or_default());
        let token = head.lines().find_map(|line| line.strip_prefix("authorization: Bearer ")).unwrap_or_default();
        if token != TOKEN && token != READER {
            return say(401, &json!({"message": "Invalid API key", "messageId": "api-key.invalid", "statusCode": 401}));
        }
        if token == READER && method != "GET" {
            return say(
                403,
                &json!({"accessErrorId": "ACE1", "title": "Access denied",
                "message": "You'll need additional permissions to perform this action. Permissions needed: annotations:create"}),
            );
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let id = path.strip_prefix("/api/annotations/").map(|id| id.parse::<i64>().unwrap());
        match (method, id) {
            ("GET", None) if path == "/api/annotations" => say(200, &self.find(query)),
            ("POST", None) if path == "/api/annotations" => self.create(body),
            ("PATCH", Some(id)) => self.patch(id, body),
            ("DELETE", Some(id)) => match self.all.remove(&id) {
                Some(_) => say(200, &json!({"message": "Annotation deleted"})),
                None => say(404, &json!({"message": "Annotation not found"})),
            },
            _ => answer(404, "Content-Type: text/html\r\n", "<html>not found</html>"),
        }
    }

    fn find(&self, query: &str) -> Value {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let number =
            |name: &str| pairs.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.parse::<i64>().ok());
        let wanted: Vec<&str> =
            pairs.iter().filter(|(key, _)| key == "tags").map(|(_, value)| value.as_str()).collect();
        let mut found: Vec<&Value> = self
            .all
            .values()
            .filter(|one| {
                let tags: Vec<&str> = one["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect();
                let (time, end) = (one["time"].as_i64().unwrap(), one["timeEnd"].as_i64().unwrap());
                let inside = match (number("from"), number("to")) {
                    (Some(from), Some(to)) => time <= to && end >= from,
                    _ => true,
                };
                wanted.iter().all(|tag| tags.contains(tag)) && inside
            })
            .collect();
        found.sort_by_key(|one| std::cmp::Reverse((one["timeEnd"].as_i64(), one["time"].as_i64())));
        found.truncate(usize::try_from(number("limit").unwrap_or(100)).unwrap());
        json!(found)
    }

    fn create(&mut self, body: &str) -> Vec<u8> {
        let Ok(annotation) = serde_json::from_str::<Value>(body) else {
            return say(400, &json!({"message": "bad request data"}));
        };
        if annotation["text"].as_str().unwrap_or_default().is_empty() {
            return say(400, &json!({"message": "Failed to save annotation"}));
        }
        if self.refused.as_ref().is_some_and(|text| annotation["text"].as_str().unwrap().contains(text)) {
            return say(500, &json!({"message": "Failed to save annotation"}));
        }
        if annotation["tags"].to_string().len() > 500 {
            return say(400, &json!({"message": "tags length exceeds the maximum allowed (500)"}));
        }
        say(200, &json!({"message": "Annotation added", "id": self.add(annotation)}))
    }

    fn patch(&mut self, id: i64, body: &str) -> Vec<u8> {
        let Some(found) = self.all.get_mut(&id) else { return say(404, &json!({"message": "Annotation not found"})) };
        let change: Value = serde_json::from_str(body).unwrap();
        for key in ["time", "timeEnd", "tags", "text"] {
            if !change[key].is_null() {
                found[key] = change[key].clone();
            }
        }
        say(200, &json!({"message": "Annotation patched"}))
    }
}

fn say(status: u16, body: &Value) -> Vec<u8> {
    answer(status, "Content-Type: application/json\r\n", &body.to_string())
}
