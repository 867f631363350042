//! What is asked: name, type, class, recursion; and response codes by their names.

use std::borrow::Cow;
use std::str::FromStr as _;

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{DNSClass, Name, RecordType};

use super::Section;
use crate::config::decode::{Cursor, shorten};

/// Response codes of RFC 1035, 2136, 2930, 6891, 7873 and 8945 under the names dig and blackbox_exporter use.
const RCODES: &[(&str, u16)] = &[
    ("NOERROR", 0),
    ("FORMERR", 1),
    ("SERVFAIL", 2),
    ("NXDOMAIN", 3),
    ("NOTIMP", 4),
    ("REFUSED", 5),
    ("YXDOMAIN", 6),
    ("YXRRSET", 7),
    ("NXRRSET", 8),
    ("NOTAUTH", 9),
    ("NOTZONE", 10),
    ("BADVERS", 16),
    ("BADKEY", 17),
    ("BADTIME", 18),
    ("BADMODE", 19),
    ("BADNAME", 20),
    ("BADALG", 21),
    ("BADTRUNC", 22),
    ("BADCOOKIE", 23),
];

/// A query, but for its random id.
#[derive(Clone, Debug)]
pub(super) struct QuerySettings {
    query: Query,
    recursion_desired: bool,
}

impl QuerySettings {
    /// The query under a new random id: an answer that does not know it is not ours.
    pub(super) fn message(&self) -> Message {
        let mut message = Message::query();
        message.metadata.recursion_desired = self.recursion_desired;
        message.add_query(self.query.clone());
        message
    }
}

/// Reads `query_name`, `query_type`, `query_class` and `recursion_desired`.
pub(super) fn decode(map: &mut Section<'_>) -> Option<QuerySettings> {
    let name = map.require("query_name").and_then(|c| {
        let text = c.non_empty()?;
        // What is ASCII is asked as it is written; names such as `a_.example` exist.
        match if text.is_ascii() { Name::from_ascii(&text) } else { Name::from_utf8(&text) } {
            Ok(mut name) => {
                name.set_fqdn(true);
                Some(name)
            }
            Err(error) => c.error(format_args!("`{}` is not a domain name: {error}", shorten(&text))),
        }
    });
    // ANY is blackbox_exporter's default; few servers still answer it in full (RFC 8482).
    let query_type = map.get("query_type").map_or(Some(RecordType::ANY), |c| {
        let text = c.non_empty()?;
        match record_type(&text) {
            Some(RecordType::AXFR | RecordType::IXFR) => {
                c.error("a zone transfer is more than one answer; ask for SOA, whose serial is exported")
            }
            Some(query_type) => Some(query_type),
            None => c.error(format_args!(
                "unknown record type `{}`; accepted for example: A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT, CAA, DNSKEY, DS, \
                 HTTPS, ANY, or any by number as TYPE65",
                shorten(&text)
            )),
        }
    });
    let class = map.get("query_class").map_or(Some(DNSClass::IN), |c| {
        c.one_of(&[("IN", DNSClass::IN), ("CH", DNSClass::CH), ("HS", DNSClass::HS), ("ANY", DNSClass::ANY)])
    });
    let recursion_desired = map.get("recursion_desired").map_or(Some(true), |c| c.bool());
    let mut query = Query::query(name?, query_type?);
    query.set_query_class(class?);
    Some(QuerySettings { query, recursion_desired: recursion_desired? })
}

/// A record type by its name or, as RFC 3597 has it, by `TYPE` and its number.
fn record_type(text: &str) -> Option<RecordType> {
    let text = text.to_ascii_uppercase();
    match text.strip_prefix("TYPE").map(str::parse::<u16>) {
        Some(number) => number.ok().map(RecordType::from),
        None => RecordType::from_str(&text).ok(),
    }
}

/// Reads one response code.
pub(super) fn rcode(cursor: &Cursor<'_>) -> Option<u16> {
    cursor.one_of(RCODES)
}

/// The code's name, or its number where it has none here.
pub(super) fn rcode_name(code: u16) -> Cow<'static, str> {
    match RCODES.iter().find(|(_, number)| *number == code) {
        Some((name, _)) => Cow::Borrowed(name),
        None => Cow::Owned(format!("code {code}")),
    }
}
