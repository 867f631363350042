//! The request for a WebSocket, and whether the answer grants it (RFC 6455 §4.1).

use bytes::Bytes;
use http_body_util::Empty;
use hyper::header::{
    AUTHORIZATION, CONNECTION, HOST, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE, USER_AGENT,
};
use hyper::upgrade::Upgraded;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use url::Url;

use super::{Settings, target};
use crate::config::decode::shorten;
use crate::config::masked;
use crate::http_client::Secrets;
use crate::probe::http::{Driver, Shown, secrets_of};
use crate::probe::{Failure, Metric, Reason, Samples};
use crate::secret::Secret;

/// Bytes of header that are read, all lines together.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// What is asked, all of it ready to be sent.
pub(super) struct Ask {
    request: Request<Empty<Bytes>>,
    pub(super) key: String,
    /// What must not be shown, should the server repeat it.
    pub(super) secrets: Secrets,
}

impl Ask {
    /// The request for `url`, for whom `hostname` says or the module's headers, or the URL; with secrets as their files have them
    /// now.
    pub(super) async fn of(
        settings: &Settings,
        url: &Url,
        hostname: Option<&HeaderValue>,
        shown: Option<&Shown>,
    ) -> Result<Self, Failure> {
        let internal = |error: hyper::http::Error| Failure::new(Reason::Internal, error);
        let mut headers = settings.headers.read().await?;
        let mut hidden: Vec<Secret> = headers.values().map(secret).collect();
        hidden.extend(shown.iter().flat_map(|shown| secrets_of(&shown.credentials)));
        for (name, value) in &settings.headers.values {
            if masked::is_secret(name.as_str()) {
                hidden.push(secret(value));
            }
            headers.append(name.clone(), value.clone());
        }
        let mut secrets = Secrets::default();
        secrets.replace(hidden);
        if let Some(shown) = shown {
            headers.insert(AUTHORIZATION, shown.credentials.header.clone());
        }
        if let Some(hostname) = hostname {
            headers.insert(HOST, hostname.clone());
        }
        let key = generate_key();
        let own = |text: &str| HeaderValue::from_str(text).map_err(|error| internal(error.into()));
        let agent = concat!("sla-exporter/", env!("CARGO_PKG_VERSION"));
        headers.entry(HOST).or_insert(own(&authority(url))?);
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(agent));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, own(&key)?);
        let mut request = Request::builder().uri(target::path(url)).body(Empty::new()).map_err(internal)?;
        *request.headers_mut() = headers;
        Ok(Self { request, key, secrets })
    }

    /// Asks over `link`; the WebSocket's bytes, where it is granted.
    pub(super) async fn send(
        self,
        link: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        out: &mut Samples,
    ) -> Result<TokioIo<Upgraded>, Failure> {
        out.stage("waiting for the answer to the request for a WebSocket");
        let protocols = self.request.headers().contains_key(SEC_WEBSOCKET_PROTOCOL);
        let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
            .max_buf_size(MAX_HEADER_BYTES)
            .title_case_headers(true)
            .handshake(TokioIo::new(link))
            .await
            .map_err(|error| Failure::new(Reason::Reset, error))?;
        let mut driver = Driver::new(connection.with_upgrades());
        let answer = driver.with(sender.send_request(self.request)).await;
        let mut answer = answer.map_err(|error| driver.explain(&error))?;
        let status = answer.status();
        out.set(Metric::WebsocketStatusCode, f64::from(status.as_u16()));
        out.found(|| format!("{:?} {status}", answer.version()));
        if status != StatusCode::SWITCHING_PROTOCOLS {
            let hint = if status.is_redirection() { ", which is not followed" } else { "" };
            let why = format_args!("asked for a WebSocket, the server answered {status}{hint}; 101 is expected");
            return Err(Failure::new(Reason::Status, why));
        }
        granted(answer.headers(), &self.key, protocols)?;
        if let Some(protocol) = answer.headers().get(SEC_WEBSOCKET_PROTOCOL) {
            out.found(|| format!("subprotocol {}", String::from_utf8_lossy(protocol.as_bytes())));
        }
        let upgraded = driver.with(hyper::upgrade::on(&mut answer)).await.map_err(|error| driver.explain(&error))?;
        Ok(TokioIo::new(upgraded))
    }
}

fn secret(value: &HeaderValue) -> Secret {
    Secret::new(String::from_utf8_lossy(value.as_bytes()))
}

/// Host and port, the port where it is not the scheme's own.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether the headers of an answer with status 101 are those of a WebSocket asked for with `key`.
fn granted(headers: &HeaderMap, key: &str, protocols: bool) -> Result<(), Failure> {
    let strange =
        |why: &str| Err(Failure::new(Reason::Protocol, format_args!("the answer grants no WebSocket: {why}")));
    let names = |name, word: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(word))
    };
    if !names(UPGRADE, "websocket") {
        return strange("its header Upgrade does not say `websocket`");
    }
    if !names(CONNECTION, "upgrade") {
        return strange("its header Connection does not say `Upgrade`");
    }
    let expected = derive_accept_key(key.as_bytes());
    match headers.get(SEC_WEBSOCKET_ACCEPT) {
        Some(found) if found.as_bytes().trim_ascii() == expected.as_bytes() => {}
        Some(found) => {
            let found = shorten(&String::from_utf8_lossy(found.as_bytes()));
            return strange(&format!("its Sec-WebSocket-Accept is to another key, found `{found}`"));
        }
        None => return strange("it has no Sec-WebSocket-Accept"),
    }
    if headers.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
        return strange("it has extensions, and none was asked for");
    }
    if headers.contains_key(SEC_WEBSOCKET_PROTOCOL) && !protocols {
        return strange("it has a subprotocol, and none was asked for");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key and the answer of RFC 6455 §1.3.
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    fn check(headers: &[(&'static str, &'static str)], protocols: bool) -> Result<(), String> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        granted(&headers, KEY, protocols).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_websocket_is_granted_word_by_word() {
        let good = [("upgrade", "WebSocket"), ("connection", "keep-alive, Upgrade"), ("sec-websocket-accept", ACCEPT)];
        assert_eq!(check(&good, false), Ok(()));
        for (index, change, part) in [
            (0, ("upgrade", "h2c"), "Upgrade does not say `websocket`"),
            (1, ("connection", "close"), "Connection does not say"),
            (2, ("sec-websocket-accept", "AAAA"), "to another key, found `AAAA`"),
            (2, ("x-accept", ACCEPT), "no Sec-WebSocket-Accept"),
        ] {
            let mut headers = good;
            headers[index] = change;
            let why = check(&headers, false).unwrap_err();
            assert!(why.starts_with("protocol: ") && why.contains(part), "{why}");
        }
        let with = |more| [good[0], good[1], good[2], more];
        assert!(check(&with(("sec-websocket-extensions", "permessage-deflate")), false).is_err());
        assert!(check(&with(("sec-websocket-protocol", "chat")), false).is_err());
        assert_eq!(check(&with(("sec-websocket-protocol", "chat")), true), Ok(()));
    }

    #[test]
    fn the_host_has_its_port_where_it_is_not_the_usual_one() {
        for (url, expected) in
            [("ws://a/", "a"), ("ws://a:80/", "a"), ("wss://a:443", "a"), ("wss://[::1]:8443/", "[::1]:8443")]
        {
            assert_eq!(authority(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
