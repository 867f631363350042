//! Reads the section `oauth2`.

use bytes::Bytes;
use hyper::Method;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use url::Url;

use super::kept::{Identity, Tokens};
use super::{OAuth2, Settings};
use crate::config::decode::{Cursor, MapCursor};
use crate::config::masked;
use crate::probe::http::assertions::Assertions;
use crate::probe::http::extra_headers::ExtraHeaders;
use crate::probe::http::login::Login;
use crate::probe::http::proxy::Proxy;
use crate::probe::net::IpChoice;
use crate::probe::tls;

/// The longest answer of a token endpoint that is read, in bytes.
const MAX_ANSWER: u64 = 1 << 20;
/// The grant that is asked for.
const GRANT: &str = "client_credentials";

/// Keys of other grants, refused by name.
pub(in crate::probe::http) const UNSUPPORTED: &[&str] = &[
    "client_secret_ref",
    "client_certificate_key_id",
    "client_certificate_key",
    "client_certificate_key_file",
    "client_certificate_key_ref",
    "signature_algorithm",
    "iss",
    "claims",
];

impl OAuth2 {
    /// Reads the section.
    pub(in crate::probe::http) fn decode(mut map: MapCursor<'_>) -> Option<Self> {
        let client_id = map.require("client_id").and_then(|c| c.non_empty());
        let has_secret = map.has("client_secret") || map.has("client_secret_file");
        let secret = map.secret("client_secret", "client_secret_file");
        let grant = map.get("grant_type").map_or(Some(()), |c| {
            if c.string()? == GRANT {
                Some(())
            } else {
                c.error(format_args!("only tokens for the client itself are fetched; accepted: {GRANT}"))
            }
        });
        let scopes = map.get("scopes").map_or(Some(Vec::new()), |c| c.strings());
        let url = map.require("token_url").and_then(|c| token_url(&c));
        let mut form = map.get("endpoint_params").map_or(Some(Vec::new()), |c| params(&c));
        let tls = tls::decode(map.get("tls_config"), &[b"http/1.1"]);
        let proxy = Proxy::decode(&mut map);
        if let (Some(scopes), Some(form)) = (&scopes, &mut form)
            && !scopes.is_empty()
        {
            if form.iter().any(|(name, _)| name == "scope") {
                map.error("give `scopes` or the parameter `scope`, not both");
            }
            form.insert(0, ("scope".to_owned(), scopes.join(" ")));
        }
        map.unsupported(
            &["audience"],
            "it is of another grant; as a field of the form it belongs under `endpoint_params`",
        );
        map.unsupported(UNSUPPORTED, "there is no secret manager here, and no grant but client_credentials");
        map.finish();
        if has_secret && secret.is_none() {
            return None;
        }
        let (mut form, mut proxy) = (form?, proxy?);
        // What is behind a proxy may be known to it alone, and is not what is measured.
        proxy.skip_resolve = true;
        if !form.iter().any(|(name, _)| name == "grant_type") {
            form.insert(0, ("grant_type".to_owned(), GRANT.to_owned()));
        }
        let (client_id, url, ()) = (client_id?, url?, grant?);
        let _ = scopes?;
        let endpoint = Settings {
            // The module's preference is about its target. What has an address at all has one of these.
            ip: IpChoice { prefer_v6: false, fallback: true },
            source: None,
            tls: tls?,
            method: Method::POST,
            headers: headers(),
            host: None,
            body: Bytes::new(),
            login: Login::default(),
            extra_headers: ExtraHeaders::default(),
            proxy,
            follow_redirects: false,
            body_limit: MAX_ANSWER,
            compression: None,
            assertions: Assertions::none(),
            refusal: None,
            hand_over: Some(true),
        };
        let identity = Identity {
            url: url.to_string(),
            client_id: client_id.clone(),
            secret: secret.clone(),
            form: form.clone(),
            certificate: endpoint.tls.client_certificate().cloned(),
            verified: endpoint.tls.verifies(),
        };
        Some(Self { endpoint: Box::new(endpoint), url, client_id, secret, form, tokens: Tokens::of(identity) })
    }
}

fn headers() -> HeaderMap {
    [
        (USER_AGENT, concat!("sla-exporter/", env!("CARGO_PKG_VERSION"))),
        (CONTENT_TYPE, "application/x-www-form-urlencoded"),
        (ACCEPT, "application/json"),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
    .into_iter()
    .collect()
}

/// No message repeats it: somebody may have written a password into it.
fn token_url(cursor: &Cursor<'_>) -> Option<Url> {
    let example = "write for example https://login.example.com/oauth2/token";
    let Ok(mut url) = Url::parse(&cursor.non_empty()?) else {
        return cursor.error(format_args!("is not a URL; {example}"));
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return cursor.error(format_args!("is no URL of http or https; {example}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return cursor.error("a user does not belong in this URL; `client_id` and `client_secret_file` are for it");
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        cursor.warn("without TLS the client's secret can be read on the way; write https:// where the server has it");
    }
    url.set_fragment(None);
    Some(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn params(cursor: &Cursor<'_>) -> Option<Vec<(String, String)>> {
    let mut params = Vec::new();
    let mut good = true;
    for (name, _, value) in cursor.named()? {
        let own = ["client_id", "client_secret"].contains(&name);
        if own {
            good = value.error::<()>(format_args!("`{name}` is a key of the section, not a parameter")).is_some();
        } else if masked::is_secret(name) && !value.document().inline_secrets {
            good =
                value.error::<()>("a secret does not belong in this file; it is supported in module_files").is_some();
        } else {
            match value.string() {
                Some(text) => params.push((name.to_owned(), text)),
                None => good = false,
            }
        }
    }
    good.then_some(params)
}
