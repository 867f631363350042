//! The mails that arrived, decoded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use mail_parser::{Address, MessageParser};
use serde::Serialize;

/// Mails kept.
const MAX_MAILS: usize = 500;

/// A mail as a reader sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Mail {
    /// Counts from 1.
    pub id: u64,
    /// When it arrived, RFC 3339 in UTC as the sender's Date header says it; empty without one.
    pub date: String,
    /// From the header.
    pub from: String,
    /// From the header; what customers see.
    pub to: String,
    /// From the SMTP conversation; who gets it.
    pub recipients: Vec<String>,
    /// Decoded.
    pub subject: String,
    /// The text part, decoded; made of the HTML part where there is no other.
    pub text: String,
    /// The HTML part, decoded; empty without one.
    pub html: String,
    /// `Message-ID`, `In-Reply-To`, `References`: what makes a thread.
    pub thread: Vec<String>,
    /// The headers as they came, not decoded.
    #[serde(skip)]
    pub head: String,
}

/// What arrived, newest last.
#[derive(Clone, Debug, Default)]
pub struct Store(Arc<Mutex<(u64, VecDeque<Mail>)>>);

impl Store {
    /// Everything, oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<Mail> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.iter().cloned().collect()
    }

    /// One mail.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<Mail> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.iter().find(|mail| mail.id == id).cloned()
    }

    /// Takes in the bytes of a mail.
    pub(super) fn add(&self, recipients: Vec<String>, raw: &[u8]) {
        let mut mail = decode(raw);
        mail.recipients = recipients;
        let mut store = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        store.0 += 1;
        mail.id = store.0;
        store.1.push_back(mail);
        if store.1.len() > MAX_MAILS {
            store.1.pop_front();
        }
    }
}

fn decode(raw: &[u8]) -> Mail {
    let parsed = MessageParser::default().parse(raw);
    let addresses = |address: Option<&Address<'_>>| {
        address.map_or_else(String::new, |list| list.iter().filter_map(|a| a.address()).collect::<Vec<_>>().join(", "))
    };
    let Some(message) = parsed else {
        // Not even headers: shown as it came.
        let text = String::from_utf8_lossy(raw).into_owned();
        return Mail {
            id: 0,
            date: String::new(),
            from: String::new(),
            to: String::new(),
            recipients: Vec::new(),
            subject: "(not a mail)".to_owned(),
            text,
            html: String::new(),
            thread: Vec::new(),
            head: String::new(),
        };
    };
    let has_html = message.html_part(0).is_some_and(mail_parser::MessagePart::is_text_html);
    let thread = ["Message-ID", "In-Reply-To", "References"]
        .iter()
        .filter_map(|name| message.header_raw(*name).map(|value| format!("{name}: {}", value.trim())))
        .collect();
    Mail {
        id: 0,
        date: message.date().map(mail_parser::DateTime::to_rfc3339).unwrap_or_default(),
        from: addresses(message.from()),
        to: addresses(message.to()),
        recipients: Vec::new(),
        subject: message.subject().unwrap_or("(no subject)").to_owned(),
        text: message.body_text(0).map(std::borrow::Cow::into_owned).unwrap_or_default(),
        html: if has_html {
            message.body_html(0).map(std::borrow::Cow::into_owned).unwrap_or_default()
        } else {
            String::new()
        },
        thread,
        head: String::from_utf8_lossy(raw.split_at(end_of_head(raw)).0).into_owned(),
    }
}

/// Where the headers end: at the first empty line.
fn end_of_head(raw: &[u8]) -> usize {
    raw.windows(4).position(|signs| signs == b"\r\n\r\n").unwrap_or(raw.len())
}
