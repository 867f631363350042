//! A part of a configuration as text that may be shown: YAML in which what could be a secret is `<secret>`.
//!
//! What is one is told by its key, generously: a text hidden without need costs less than one shown.

use std::fmt::Write as _;

use super::node::{Node, Value};

const SECRET: &str = "<secret>";
/// Text that is shown of one value, in characters: a body to send can be long.
const MAX_TEXT: usize = 1000;

/// A masked text. `Debug` leaves it out: it belongs on a page for people, not into logs.
#[derive(Clone)]
pub struct Masked(String);

impl Masked {
    /// `node` as YAML in blocks.
    pub(crate) fn of(node: &Node) -> Self {
        Self(render(node))
    }
}

impl std::fmt::Display for Masked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Debug for Masked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<yaml>")
    }
}

fn render(node: &Node) -> String {
    let mut text = String::new();
    write(&mut text, node, 0, Hide::Nothing);
    text
}

/// Keys whose value is, or holds, a secret; the name of a file that holds one is none.
pub(crate) fn is_secret(key: &str) -> bool {
    const PARTS: [&str; 12] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "credential",
        "authorization",
        "cookie",
        "api-key",
        "apikey",
        "private",
        "assertion",
    ];
    let key = key.to_ascii_lowercase();
    // `X-Auth-Key`, `Ocp-Apim-Subscription-Key`; one header of such a name is none.
    let header = key.ends_with("-key") && key != "idempotency-key";
    let of_file = key.ends_with("_file") || key.ends_with("_files") || key == "files";
    !of_file && key != "token_url" && (key == "key" || header || PARTS.iter().any(|part| key.contains(part)))
}

/// What of a part is hidden, beside what its own keys say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hide {
    Nothing,
    /// A header's section, as `Cookie: {values: […]}`: what is sent.
    Values,
    Everything,
}

fn write(text: &mut String, node: &Node, depth: usize, hide: Hide) {
    let hidden = hide == Hide::Everything;
    match &node.value {
        Value::Scalar { text: value, plain } => {
            let _ = writeln!(text, "{}", if hidden { SECRET.to_owned() } else { scalar(value, *plain) });
        }
        Value::List(items) if items.is_empty() => text.push_str("[]\n"),
        Value::Map(entries) if entries.is_empty() => text.push_str("{}\n"),
        Value::List(items) => {
            for item in items {
                let _ = write!(text, "{:1$}- ", "", depth * 2);
                // What is nested begins behind the dash.
                let mut inner = String::new();
                write(&mut inner, item, depth + 1, hide);
                text.push_str(inner.trim_start_matches(' '));
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                let _ = write!(text, "{:2$}{}: ", "", scalar(&entry.key, true), depth * 2);
                // A header or parameter may be given as `{name: Authorization, value: …}` too; blackbox.yml has none such.
                // What is said in the open about it (`authorization: {type: Bearer}`) is hidden with it.
                let open = matches!(entry.node.value, Value::Map(_)) && !is_secret_map(&entry.key);
                let secret = is_secret(&entry.key);
                let inner = match hide {
                    Hide::Everything if !is_file(&entry.key) => Hide::Everything,
                    Hide::Values if entry.key == "values" => Hide::Everything,
                    _ if secret && open => Hide::Values,
                    _ if secret => Hide::Everything,
                    _ => Hide::Nothing,
                };
                nested(text, &entry.node, depth, inner);
            }
        }
    }
}

/// `authorization: {type: …, credentials_file: …}` is a section; `secrets: {…}` holds nothing but secrets.
fn is_secret_map(key: &str) -> bool {
    key.eq_ignore_ascii_case("secrets")
}

fn is_file(key: &str) -> bool {
    key.ends_with("_file") || key.ends_with("_files")
}

fn nested(text: &mut String, node: &Node, depth: usize, hide: Hide) {
    let simple = match &node.value {
        Value::Scalar { .. } => true,
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
    };
    if !simple {
        // Cut the space behind the colon or dash.
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    write(text, node, depth + 1, hide);
}

fn scalar(value: &str, plain: bool) -> String {
    let shown: String = value.chars().take(MAX_TEXT).collect();
    let dots = if shown.len() < value.len() { "…" } else { "" };
    let shown = without_user(&shown).unwrap_or(shown);
    if plain && dots.is_empty() { shown } else { serde_json::to_string(&format!("{shown}{dots}")).unwrap_or_default() }
}

/// A URL, such as a proxy's, without the user and the password in it; `None` where there are none.
fn without_user(text: &str) -> Option<String> {
    let start = text.find("://")? + 3;
    let length = text[start..].find(['/', ' ']).unwrap_or(text.len() - start);
    // The last one: a password may have an `@`, too, and the host has none.
    let at = start + text[start..start + length].rfind('@')?;
    Some(format!("{}{SECRET}{}", &text[..start], &text[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::node::parse;

    #[test]
    fn structure_and_texts_stay() {
        let yaml = "prober: http\ntimeout: 5s\nhttp:\n  valid_status_codes:\n    - 200\n    - 204\n  body: \"a\\nb\"\n  headers: {}\n";
        assert_eq!(render(&parse(yaml).unwrap()), yaml);
    }

    #[test]
    fn what_could_be_a_secret_is_hidden_and_the_names_of_files_are_not() {
        let yaml = "
basic_auth: {username: u, password: S3CRET, password_file: pw.txt}
authorization: {type: Bearer, credentials: S3CRET, credentials_file: c.txt}
bearer_token: S3CRET
bearer_token_file: t.txt
proxy_url: http://u:S3@S3CRET@proxy:3128/
oauth2: {client_id: id, client_secret: S3CRET, token_url: https://a/token, endpoint_params: {client_secret: S3CRET, assertion: S3CRET}}
headers: {Authorization: S3CRET, Cookie: S3CRET, X-Api-Key: S3CRET, X-Auth-Key: S3CRET, Idempotency-Key: once, Accept: ja}
http_headers: {X-A: {values: [open], secrets: [S3CRET, {x: S3CRET}], files: [h.txt]}}
tls_config: {key: S3CRET, key_file: k.pem, ca: open}
grpc: {metadata: {authorization: [S3CRET], x-tenant: [tenant]}}
websocket: {headers: {Cookie: {values: [S3CRET], files: [cookie.txt]}, Origin: {values: [origin]}}}
";
        let text = render(&parse(yaml).unwrap());
        assert!(!text.contains("S3CRET"), "{text}");
        for shown in [
            "username: u",
            "pw.txt",
            "c.txt",
            "t.txt",
            "id",
            "https://a/token",
            "ja",
            "once",
            "open",
            "h.txt",
            "k.pem",
            "tenant",
            "cookie.txt",
            "origin",
            "@proxy:3128",
        ] {
            assert!(text.contains(shown), "{shown} in {text}");
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        let text = render(&parse(&format!("body: \"{}\"", "語".repeat(5000))).unwrap());
        assert!(text.len() < 4000 && text.ends_with("…\"\n"), "{}", text.len());
    }
}
