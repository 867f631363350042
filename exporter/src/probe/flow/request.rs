//! An HTTP request of a step: as configured, and as it is sent with the run's variables.

use bytes::Bytes;
use hyper::Method;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value as Json;
use url::Url;
use url::form_urlencoded::Serializer;

use super::check::template;
use super::template::{Template, Unfilled, Variables};
use crate::config::decode::{Cursor, MapCursor, collect};
use crate::config::node::{Node, Value};
use crate::probe::http::Login;
use crate::probe::{Failure, Reason};

/// The longest file that is sent.
const MAX_FILE: usize = 1 << 20;
/// Fields of a form, headers of a request.
const MAX_FIELDS: usize = 100;
/// What a variable may be made of in the middle of a URL.
const IN_URL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request as configured.
#[derive(Clone, Debug)]
pub(super) struct Request {
    method: Method,
    url: Template,
    headers: Vec<(HeaderName, Template)>,
    pub(super) login: Login,
    body: Body,
    pub(super) follow_redirects: Option<bool>,
    other_hosts: bool,
}

#[derive(Clone, Debug)]
enum Body {
    None,
    Text(Template),
    File(Bytes),
    Form(Vec<(String, Template)>),
    Json(Node, Vec<Template>),
    Multipart(Vec<Field>),
}

/// A field of a form with files.
#[derive(Clone, Debug)]
struct Field {
    name: String,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Text(Template),
    File { bytes: Bytes, name: String, kind: HeaderValue },
}

/// A request as it is sent.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) host: Option<HeaderValue>,
    /// Those with a secret in them: for the target's service alone.
    pub(super) secret_headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Reads a section `request`.
pub(super) fn decode(mut map: MapCursor<'_>) -> Option<Request> {
    let method = map.get("method").map_or(Some(None), |c| method(&c).map(Some));
    let url = map.require("url").and_then(|c| url(&c));
    let login = Login::decode(&mut map);
    let headers = map.get("headers").map_or(Some(Vec::new()), |c| headers(&c));
    let body = body(&mut map);
    let follow_redirects = map.get("follow_redirects").map_or(Some(None), |c| c.bool().map(Some));
    let other_hosts = map.get("other_hosts").map_or(Some(false), |c| c.bool());
    map.finish();
    let body = body?;
    let usual = if matches!(body, Body::None) { Method::GET } else { Method::POST };
    Some(Request {
        method: method?.unwrap_or(usual),
        url: url?,
        headers: headers?,
        login: login?,
        body,
        follow_redirects: follow_redirects?,
        other_hosts: other_hosts?,
    })
}

fn method(cursor: &Cursor<'_>) -> Option<Method> {
    let text = cursor.non_empty()?;
    match Method::from_bytes(text.to_ascii_uppercase().as_bytes()) {
        Ok(Method::CONNECT) | Err(_) => {
            cursor.error("is not a method that can be sent; write for example GET, HEAD or POST")
        }
        Ok(method) => Some(method),
    }
}

fn url(cursor: &Cursor<'_>) -> Option<Template> {
    let text = cursor.non_empty()?;
    if text.contains(|c: char| c.is_control()) {
        return cursor.error("a line end or the like has no place in a URL");
    }
    let template = template(cursor)?;
    let own = text.starts_with('/') || text.starts_with("http://") || text.starts_with("https://");
    if !own && !template.begins_with_variable() {
        return cursor.error(
            "write a path of the target such as /login, a URL with http:// or https://, or a variable that is one",
        );
    }
    Some(template)
}

/// Reads a mapping of headers.
pub(super) fn headers(cursor: &Cursor<'_>) -> Option<Vec<(HeaderName, Template)>> {
    let entries = cursor.named()?;
    if entries.len() > MAX_FIELDS {
        return cursor.error(format_args!("{} headers; at most {MAX_FIELDS} are accepted", entries.len()));
    }
    let wanted = entries.len();
    let found: Vec<_> = entries.iter().filter_map(|(name, _, cursor)| one_header(name, cursor)).collect();
    (found.len() == wanted).then_some(found)
}

fn one_header(name: &str, cursor: &Cursor<'_>) -> Option<(HeaderName, Template)> {
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
        return cursor.error("is not a header's name; write for example Accept-Language");
    };
    let framing = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION, header::UPGRADE, header::TE];
    if framing.contains(&name) || name == header::COOKIE || name == header::ACCEPT_ENCODING {
        return cursor
            .error("is not the step's to say: it belongs to the connection, or to the cookies of the run; remove it");
    }
    let template = template(cursor)?;
    if [header::AUTHORIZATION, header::PROXY_AUTHORIZATION].contains(&name) && template.names().next().is_none() {
        return cursor.error(
            "a secret does not belong in this file; use a variable with a `file`, or `authorization` with `credentials_file`",
        );
    }
    Some((name, template))
}

fn body(map: &mut MapCursor<'_>) -> Option<Body> {
    let keys = ["body", "body_file", "form", "json", "multipart"];
    let given: Vec<(&str, Cursor<'_>)> = keys.into_iter().filter_map(|key| map.get(key).map(|c| (key, c))).collect();
    match &given[..] {
        [] => Some(Body::None),
        [("body", c)] => template(c).map(Body::Text),
        [("body_file", c)] => file(c).map(Body::File),
        [("form", c)] => fields(c).map(Body::Form),
        [("json", c)] => {
            let mut templates = Vec::new();
            json_templates(c, c.node(), &mut templates)?;
            Some(Body::Json(c.node().clone(), templates))
        }
        [(_, c)] => {
            let list = c.list()?;
            if list.len() > MAX_FIELDS {
                return c.error(format_args!("{} fields; at most {MAX_FIELDS} are accepted", list.len()));
            }
            collect(&list, field).map(Body::Multipart)
        }
        [.., (_, c)] => c.error("give one of `body`, `body_file`, `form`, `json` and `multipart`"),
    }
}

fn file(cursor: &Cursor<'_>) -> Option<Bytes> {
    let bytes = cursor.file_content()?;
    if bytes.len() > MAX_FILE {
        return cursor.error(format_args!("has {} bytes; at most {MAX_FILE} are sent", bytes.len()));
    }
    Some(bytes.into())
}

fn fields(cursor: &Cursor<'_>) -> Option<Vec<(String, Template)>> {
    let entries = cursor.named()?;
    if entries.len() > MAX_FIELDS {
        return cursor.error(format_args!("{} fields; at most {MAX_FIELDS} are accepted", entries.len()));
    }
    let wanted = entries.len();
    let found: Vec<_> = entries.iter().filter_map(|(name, _, c)| Some(((*name).to_owned(), template(c)?))).collect();
    (found.len() == wanted).then_some(found)
}

fn field(cursor: &Cursor<'_>) -> Option<Field> {
    let mut map = cursor.map()?;
    let name = map.require("name").and_then(|c| c.label());
    let value = map.get("value").map(|c| template(&c));
    let file = map.get("file").map(|c| {
        let name = c.file()?.file_name()?.to_string_lossy().into_owned();
        Some((self::file(&c)?, name))
    });
    let filename = map.get("filename").map_or(Some(None), |c| c.label().map(Some));
    let kind = map.get("content_type").map_or(Some(HeaderValue::from_static("application/octet-stream")), |c| {
        match HeaderValue::from_str(&c.non_empty()?) {
            Ok(kind) => Some(kind),
            Err(_) => c.error("is not a content type; write for example image/png"),
        }
    });
    map.finish();
    let (filename, kind) = (filename?, kind?);
    let content = match (value, file) {
        (Some(value), None) => Content::Text(value?),
        (None, Some(file)) => {
            let (bytes, name) = file?;
            Content::File { bytes, name: filename.unwrap_or(name), kind }
        }
        _ => return cursor.error("give `value` or `file`"),
    };
    Some(Field { name: name?, content })
}

/// All texts of a JSON body, in the order in which [`json`] comes to them.
fn json_templates(at: &Cursor<'_>, node: &Node, found: &mut Vec<Template>) -> Option<()> {
    match &node.value {
        Value::Scalar { text, .. } => match Template::parse(text) {
            Ok(template) => {
                found.push(template);
                Some(())
            }
            Err(why) => at.error(why),
        },
        Value::List(items) => items.iter().try_for_each(|item| json_templates(at, item, found)),
        Value::Map(entries) => entries.iter().try_for_each(|entry| json_templates(at, &entry.node, found)),
    }
}

/// A JSON body: YAML's values, with variables in its texts. What is written without quotes and is a number, true, false or null, is.
fn json(node: &Node, templates: &mut std::slice::Iter<'_, Template>, variables: &Variables) -> Result<Json, Unfilled> {
    Ok(match &node.value {
        Value::Scalar { text, plain } => {
            let template = templates.next();
            let plain =
                plain.then(|| serde_json::from_str::<Json>(text).ok().filter(|value| !value.is_string())).flatten();
            match (plain, template) {
                _ if node.is_null() => Json::Null,
                (Some(value), _) => value,
                (None, Some(template)) => Json::String(template.render(variables)?),
                (None, None) => Json::String(text.clone()),
            }
        }
        Value::List(items) => {
            Json::Array(items.iter().map(|item| json(item, templates, variables)).collect::<Result<_, _>>()?)
        }
        Value::Map(entries) => {
            let pair =
                |entry: &crate::config::node::Entry| Ok((entry.key.clone(), json(&entry.node, templates, variables)?));
            Json::Object(entries.iter().map(pair).collect::<Result<_, _>>()?)
        }
    })
}

impl Request {
    /// Its variables.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.url.names().collect();
        names.extend(self.headers.iter().flat_map(|(_, template)| template.names()));
        match &self.body {
            Body::None | Body::File(_) => {}
            Body::Text(template) => names.extend(template.names()),
            Body::Form(fields) => names.extend(fields.iter().flat_map(|(_, template)| template.names())),
            Body::Json(_, templates) => names.extend(templates.iter().flat_map(Template::names)),
            Body::Multipart(fields) => names.extend(fields.iter().flat_map(|field| match &field.content {
                Content::Text(template) => template.names().collect(),
                Content::File { .. } => Vec::new(),
            })),
        }
        names
    }

    /// As it is sent. `usual` are the headers of every step; `mark` is the run's.
    ///
    /// # Errors
    /// Where a variable is missing, or does not fit where it is put.
    pub(super) fn fill(
        &self,
        base: &Url,
        usual: &[(HeaderName, Template)],
        variables: &Variables,
        mark: &str,
    ) -> Result<Filled, Failure> {
        let unfilled = |why: Unfilled| Failure::new(Reason::Internal, why);
        let (url, foreign) = self.address(base, variables)?;
        let mut headers = HeaderMap::new();
        headers
            .insert(header::USER_AGENT, HeaderValue::from_static(concat!("sla-exporter/", env!("CARGO_PKG_VERSION"))));
        let (kind, body) = self.content(variables, mark).map_err(unfilled)?;
        if let Some(kind) = kind {
            headers.insert(header::CONTENT_TYPE, kind);
        }
        let (mut host, mut secret_headers) = (None, HeaderMap::new());
        for (name, template) in usual.iter().chain(&self.headers) {
            let text = template.render(variables).map_err(unfilled)?;
            let mut value = HeaderValue::from_str(&text).map_err(|_| {
                Failure::new(Reason::Header, format_args!("header {name} would hold characters a header cannot carry"))
            })?;
            value.set_sensitive(true);
            if *name == header::HOST {
                host = Some(value);
            } else if variables.is_secret(&text) {
                headers.remove(name);
                secret_headers.insert(name.clone(), value);
            } else {
                secret_headers.remove(name);
                headers.insert(name.clone(), value);
            }
        }
        if foreign && (self.login.is_some() || !secret_headers.is_empty() || !body.is_empty()) {
            let origin = url.origin().ascii_serialization();
            return Err(Failure::new(
                Reason::Redirect,
                format_args!("its variable leads to {origin}, which would be given what is for the target; not asked"),
            ));
        }
        Ok(Filled { method: self.method.clone(), url, headers, host, secret_headers, body })
    }

    /// The URL, and whether a variable made it somebody else's.
    fn address(&self, base: &Url, variables: &Variables) -> Result<(Url, bool), Failure> {
        // In front it is a URL, or the begin of one; behind that a part of it.
        let encode = |number: usize, value: &str| {
            if number == 0 { value.to_owned() } else { utf8_percent_encode(value, IN_URL).to_string() }
        };
        let text = self.url.render_with(variables, encode).map_err(|why| Failure::new(Reason::Internal, why))?;
        let bad = |why: &str| Failure::new(Reason::Redirect, format_args!("cannot ask for this URL: {why}"));
        let mut url = base.join(&text).map_err(|why| bad(&why.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(bad("it is none of http:// or https://"));
        }
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let same = url.host_str() == base.host_str() && url.port_or_known_default() == base.port_or_known_default();
        let upgrade = url.host_str() == base.host_str() && base.scheme() == "http" && url.scheme() == "https";
        // What a page says must not make us ask anybody anything.
        let foreign = self.url.begins_with_variable() && !(same || (upgrade && url.port().is_none()));
        if foreign && !self.other_hosts {
            let origin = url.origin().ascii_serialization();
            return Err(bad(&format!(
                "its variable leads to {origin}, not to the target; `other_hosts: true` allows that"
            )));
        }
        Ok((url, foreign))
    }

    fn content(&self, variables: &Variables, mark: &str) -> Result<(Option<HeaderValue>, Bytes), Unfilled> {
        let kind = |text: &'static str| Some(HeaderValue::from_static(text));
        Ok(match &self.body {
            Body::None => (None, Bytes::new()),
            Body::Text(template) => (kind("text/plain; charset=utf-8"), template.render(variables)?.into()),
            Body::File(bytes) => (kind("application/octet-stream"), bytes.clone()),
            Body::Form(fields) => {
                let mut pairs = Vec::with_capacity(fields.len());
                for (name, template) in fields {
                    pairs.push((name, template.render(variables)?));
                }
                let text = Serializer::new(String::new()).extend_pairs(&pairs).finish();
                (kind("application/x-www-form-urlencoded"), text.into())
            }
            Body::Json(node, templates) => {
                let value = json(node, &mut templates.iter(), variables)?;
                (kind("application/json"), value.to_string().into())
            }
            Body::Multipart(fields) => {
                let boundary = format!("--sla-exporter-{mark}");
                let kind = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}")).ok();
                (kind, multipart(fields, &boundary, variables)?)
            }
        })
    }
}

fn multipart(fields: &[Field], boundary: &str, variables: &Variables) -> Result<Bytes, Unfilled> {
    // As browsers write names.
    let quoted = |text: &str| text.replace('"', "%22").replace(['\r', '\n'], " ");
    let mut out = Vec::new();
    for Field { name, content } in fields {
        out.extend(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", quoted(name)).bytes());
        match content {
            Content::Text(template) => {
                out.extend(b"\r\n\r\n");
                out.extend(template.render(variables)?.bytes());
            }
            Content::File { bytes, name, kind } => {
                out.extend(format!("; filename=\"{}\"\r\nContent-Type: ", quoted(name)).bytes());
                out.extend(kind.as_bytes());
                out.extend(b"\r\n\r\n");
                out.extend(bytes);
            }
        }
        out.extend(b"\r\n");
    }
    out.extend(format!("--{boundary}--\r\n").bytes());
    Ok(out.into())
}
