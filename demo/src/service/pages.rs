//! What a visitor sees, Japanese first.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use hyper::StatusCode;

use super::{Capability, Mode, PASSWORD, Switches, USER};
use crate::web::{self, Page, escape};

/// Form entries kept.
const MAX_ENTRIES: usize = 1000;
/// Characters of an entry.
const MAX_TEXT: usize = 1000;

/// Entries of the web form, newest last.
#[derive(Debug, Default)]
pub(super) struct Forms(Mutex<(u64, VecDeque<(u64, String)>)>);

impl Forms {
    pub(super) fn page(&self) -> Page {
        let sent = self.0.lock().unwrap_or_else(PoisonError::into_inner).0;
        web::html(
            "ウェブフォーム / Web form",
            &format!(
                "<p>送信件数 / entries sent: {sent}</p><form method=\"post\" action=\"/form\">\
                 <label>お問い合わせ内容 / Your message <input name=\"text\" maxlength=\"{MAX_TEXT}\" required></label> <button>送信 / Send</button></form>"
            ),
        )
    }

    pub(super) fn submit(&self, body: &[u8]) -> Page {
        let text = url::form_urlencoded::parse(body).find(|(key, _)| key == "text").map(|(_, value)| value);
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
            return web::text(StatusCode::BAD_REQUEST, "the field `text` is empty\n");
        };
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.0 += 1;
        let id = entries.0;
        entries.1.push_back((id, text.chars().take(MAX_TEXT).collect()));
        if entries.1.len() > MAX_ENTRIES {
            entries.1.pop_front();
        }
        web::redirect(StatusCode::SEE_OTHER, &format!("/form/{id}"))
    }

    pub(super) fn entry(&self, id: &str) -> Page {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match entries.1.iter().find(|(known, _)| known.to_string() == id) {
            Some((_, text)) => web::html("受付済み / Received", &format!("<p>{}</p>", escape(text))),
            None => web::text(StatusCode::NOT_FOUND, "no such entry\n"),
        }
    }
}

pub(super) fn index(switches: &Switches) -> Page {
    let mut rows = String::new();
    for capability in Capability::ALL {
        let mode = switches.mode(*capability);
        let class = if mode == Mode::Works { "up" } else { "down" };
        let mut buttons = String::new();
        for other in Mode::ALL.iter().filter(|other| **other != mode) {
            let (action, label) = match other {
                Mode::Works => (format!("/fix/{capability}"), "fix".to_owned()),
                other => (format!("/break/{capability}?mode={other}"), format!("break: {other}")),
            };
            let _ = write!(buttons, "<form method=\"post\" action=\"{action}\"><button>{label}</button></form>");
        }
        let _ = write!(
            rows,
            "<tr><td>{}<br><code>{capability}</code><td class=\"{class}\">{mode}<td>{buttons}",
            title(*capability)
        );
    }
    web::html(
        "デモサービス / Demo service",
        &format!(
            "<p><a href=\"/login\">ログイン / log in</a> · <a href=\"/form\">フォーム / form</a> · \
             <a href=\"/c/campaign-1\">クリックカウント / counted link</a> (<a href=\"/c/campaign-1/count\">count</a>)</p>\
             <table><tr><th>機能 / capability<th>状態 / now<th>停止・復旧 / break or fix it{rows}</table>\
             <p class=\"muted\">On a command line: <code>curl -X POST …/break/web_form?mode=hang</code>, \
             <code>curl -X POST …/fix/web_form</code>, <code>…/fix/all</code>.</p>"
        ),
    )
}

/// What the contract calls it.
fn title(capability: Capability) -> &'static str {
    match capability {
        Capability::WebApp => "Web アプリケーション / Web application",
        Capability::WebForm => "WEB フォーム機能 / Web form",
        Capability::ClickCount => "クリックカウント機能 / Click count",
        Capability::Sfdc => "上流サービス SFDC の代役 / Stand-in for the upstream platform",
    }
}

pub(super) fn login(problem: Option<&str>) -> Page {
    let problem = problem.map_or_else(String::new, |p| format!("<p class=\"down\">{}</p>", escape(p)));
    web::html(
        "ログイン / Log in",
        &format!(
            "{problem}<form method=\"post\" action=\"/login\">\
             <p><label>ユーザー名 / User <input name=\"user\" autocomplete=\"username\" required></label></p>\
             <p><label>パスワード / Password \
             <input name=\"password\" type=\"password\" autocomplete=\"current-password\" required></label></p>\
             <button>ログイン / Log in</button></form>\
             <p class=\"muted\">デモのユーザー名は {USER}、パスワードは {PASSWORD} です。 / The demo's user is {USER}, the password {PASSWORD}.</p>"
        ),
    )
}

pub(super) fn app() -> Page {
    web::html("アプリケーション / Application", "<p>ログイン中 / You are logged in.</p><p><a href=\"/\">top</a></p>")
}

pub(super) fn landing(id: &str) -> Page {
    web::html("ようこそ / Welcome", &format!("<p>link: {}</p>", escape(id)))
}

/// The database's own words stay in the log.
pub(super) fn unavailable(error: &tokio_postgres::Error) -> Option<Page> {
    eprintln!("clicks cannot be counted: {error}");
    Some(web::text(StatusCode::SERVICE_UNAVAILABLE, "clicks cannot be counted now\n"))
}
