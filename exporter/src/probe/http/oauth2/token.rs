//! What a token endpoint answers.

use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;
use url::form_urlencoded;

use crate::http_client::Secrets;
use crate::probe::{Failure, Reason};

/// The longest a token is kept, also where it says it is good for longer, or says nothing.
const LONGEST: Duration = Duration::from_secs(3600);
/// A token is not used in its last seconds: it has to arrive.
const MARGIN: Duration = Duration::from_secs(10);

/// A token as it is shown to a target.
#[derive(Clone, Debug)]
pub(in crate::probe::http) struct Token {
    /// Marked sensitive.
    pub(in crate::probe::http) header: HeaderValue,
    /// How long it may be used from when it was asked for; nothing where it is for this once.
    pub(super) good_for: Duration,
    /// How long it is good for, as the endpoint says.
    pub(super) said: Option<f64>,
}

/// Reads an answer. `secrets` is what must not be repeated of it.
///
/// # Errors
/// Reason `permission` where the client is refused, `status` for another status than 2xx, `protocol` where there is no token
/// in it.
pub(in crate::probe::http) fn read(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    secrets: &Secrets,
) -> Result<Token, Failure> {
    let fields = Fields::of(headers, body);
    let said = fields.as_ref().and_then(|fields| {
        let error = fields.text("error")?;
        Some(match fields.text("error_description") {
            Some(more) => format!(" `{}`: {}", secrets.excerpt(&error), secrets.excerpt(&more)),
            None => format!(" `{}`", secrets.excerpt(&error)),
        })
    });
    if !status.is_success() {
        // As RFC 6749 has it, and what stands in front of such servers.
        let refused = matches!(status.as_u16(), 400 | 401 | 403);
        let reason = if refused { Reason::Permission } else { Reason::Status };
        let who = if refused { "the client is refused with " } else { "" };
        return Err(Failure::new(reason, format_args!("{who}status {}{}", status.as_u16(), said.unwrap_or_default())));
    }
    if let Some(said) = said {
        return Err(Failure::new(Reason::Permission, format_args!("the client is refused with{said}")));
    }
    let garbled = |what: &str| Failure::new(Reason::Protocol, what);
    let fields = fields.ok_or_else(|| garbled("an answer that is neither a JSON object nor a form"))?;
    let token = fields.text("access_token").filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| garbled("an answer without `access_token`"))?;
    let kind = fields.text("token_type").unwrap_or_default();
    let scheme = scheme(&kind);
    let header = format!("{scheme} {token}");
    let fits = header.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    let header = HeaderValue::from_str(&header).ok().filter(|_| fits && !scheme.contains(' '));
    let mut header = header.ok_or_else(|| garbled("a token that a header cannot carry"))?;
    header.set_sensitive(true);
    let said = fields.number("expires_in");
    let good_for = said.map_or(LONGEST, |seconds| {
        Duration::try_from_secs_f64(seconds).map_or(Duration::ZERO, |end| end.saturating_sub(MARGIN).min(LONGEST))
    });
    Ok(Token { header, good_for, said })
}

/// The scheme of the header for a `token_type`, which is written in any case.
fn scheme(kind: &str) -> &str {
    match kind.to_ascii_lowercase().as_str() {
        "" | "bearer" => "Bearer",
        "mac" => "MAC",
        "basic" => "Basic",
        _ => kind,
    }
}

/// The fields of an answer, in either form servers write them.
enum Fields {
    Json(serde_json::Map<String, Value>),
    Form(Vec<(String, String)>),
}

impl Fields {
    fn of(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Some(Self::Json(fields)),
            _ if matches!(kind.as_str(), "application/x-www-form-urlencoded" | "text/plain") => {
                Some(Self::Form(form_urlencoded::parse(body).into_owned().collect()))
            }
            _ => None,
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        match self {
            Self::Json(fields) => fields.get(name)?.as_str().map(str::to_owned),
            Self::Form(fields) => fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()),
        }
    }

    /// A number, which some servers write as a text.
    fn number(&self, name: &str) -> Option<f64> {
        match self {
            Self::Json(fields) => match fields.get(name)? {
                Value::Number(number) => number.as_f64(),
                Value::String(text) => text.trim().parse().ok(),
                _ => None,
            },
            Self::Form(_) => self.text(name)?.trim().parse().ok(),
        }
    }
}
