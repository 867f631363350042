//! Which path is answered by what, and the headers every answer carries.

use std::sync::Arc;
use std::time::Duration;

use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Method, Request, StatusCode};

use super::reply::{self, Reply};
use super::{Site, landing, metrics, probe, sd, status};
use crate::config::diagnostics::Severity;
use crate::config::names::plural;
use crate::status::document::Document;

/// The answer to a request; its body, if it has one, is not read.
pub(super) async fn respond<B>(site: &Arc<Site>, request: &Request<B>) -> Reply {
    let web = site.web.current();
    let mut reply = match web.admit(request.headers()).await {
        Ok(()) => dispatch(site, request).await,
        Err(refusal) => refusal.reply(),
    };
    let headers = reply.headers_mut();
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(CONTENT_SECURITY_POLICY).or_insert_with(landing::content_security_policy);
    for (name, value) in &web.headers {
        headers.insert(name, value.clone());
    }
    if request.method() == Method::HEAD {
        let length = reply.body().content.len();
        reply.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        reply.body_mut().content.clear();
    }
    reply
}

/// How much longer than others this request may take.
pub(super) fn extra_time<B>(request: &Request<B>) -> Duration {
    if request.uri().path() == probe::PATH { probe::extra_time(request.headers()) } else { Duration::ZERO }
}

async fn dispatch<B>(site: &Arc<Site>, request: &Request<B>) -> Reply {
    const READ: &[Method] = &[Method::GET, Method::HEAD];
    // Not HEAD: a probe is made to be read.
    const ASK: &[Method] = &[Method::GET];
    const CHANGE: &[Method] = &[Method::POST, Method::PUT];
    let path = request.uri().path();
    let document = path.strip_prefix("/status").and_then(Document::at);
    let (methods, allow) = match path {
        _ if document.is_some() => (READ, "GET, HEAD"),
        "/" | "/metrics" | "/sd" | "/-/healthy" | "/-/ready" => (READ, "GET, HEAD"),
        probe::PATH => (ASK, "GET"),
        "/-/reload" => (CHANGE, "POST, PUT"),
        _ => {
            return reply::text(
                StatusCode::NOT_FOUND,
                "nothing here; there is /, /metrics, /probe, /sd, /status, /-/healthy, /-/ready and /-/reload",
            );
        }
    };
    if !methods.contains(request.method()) {
        let reply = reply::text(StatusCode::METHOD_NOT_ALLOWED, format!("this path answers {allow}"));
        return reply::with_header(reply, ALLOW, allow);
    }
    if let Some(document) = document {
        return status::serve(site, document, request.uri().query(), request.headers()).await;
    }
    match path {
        "/metrics" => metrics::serve(site, request.headers()).await,
        probe::PATH => probe::serve(site, request.uri().query().unwrap_or_default(), request.headers()).await,
        "/sd" => sd::serve(&site.app.config()),
        "/-/healthy" => reply::text(StatusCode::OK, "sla-exporter is healthy"),
        "/-/ready" if site.app.is_ready() => reply::text(StatusCode::OK, "sla-exporter is ready"),
        "/-/ready" => reply::text(StatusCode::SERVICE_UNAVAILABLE, "sla-exporter has not begun to probe"),
        "/-/reload" => reload(site).await,
        _ => landing::serve(site, request.uri().query()).await,
    }
}

async fn reload(site: &Site) -> Reply {
    match site.reloader.reload("request").await {
        Ok(summary) => reply::text(StatusCode::OK, format!("configuration reloaded: {summary}")),
        Err(findings) => {
            let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
            let mut text = format!("configuration not reloaded: {}\n", plural(errors, "error"));
            for finding in findings {
                text.push_str(&finding.to_string());
                text.push('\n');
            }
            reply::text(StatusCode::INTERNAL_SERVER_ERROR, text)
        }
    }
}
