//! A record as a line of a zone file, as blackbox_exporter's regular expressions are written for: fields
//! apart by tabs, names in their ASCII form, texts in quotes.

use std::fmt::Write as _;

use hickory_proto::rr::{DNSClass, Name, RData, Record};

/// `example.com.<tab>3600<tab>IN<tab>A<tab>192.0.2.1`
pub(super) fn line(record: &Record) -> String {
    let mut line = format!("{}\t{}\t", ascii(&record.name), record.ttl);
    // RFC 3597 §5 for what this parser does not know by name.
    let _ = match &record.data {
        RData::Unknown { code, .. } => write!(line, "{}\tTYPE{}\t", class(record.dns_class), u16::from(*code)),
        data => write!(line, "{}\t{}\t", record.dns_class, data.record_type()),
    };
    // Writing to a text fails only where a record has no text form; then its data is left out.
    let _ = write_data(&mut line, &record.data);
    line
}

fn class(class: DNSClass) -> String {
    format!("CLASS{}", u16::from(class))
}

/// A name as RFC 1035 §5.1 writes it; the library's own escapes are octal.
fn ascii(name: &Name) -> String {
    let mut text = String::new();
    for label in name {
        for byte in label {
            let _ = match byte {
                b'.' | b' ' | b'\'' | b'@' | b';' | b'(' | b')' | b'"' | b'\\' => {
                    write!(text, "\\{}", char::from(*byte))
                }
                b'!'..=b'~' => text.write_char(char::from(*byte)),
                _ => write!(text, "\\{byte:03}"),
            };
        }
        text.push('.');
    }
    if text.is_empty() { ".".to_owned() } else { text }
}

fn write_data(line: &mut String, data: &RData) -> std::fmt::Result {
    match data {
        RData::CNAME(name) => write!(line, "{}", ascii(name)),
        RData::NS(name) => write!(line, "{}", ascii(name)),
        RData::PTR(name) => write!(line, "{}", ascii(name)),
        RData::MX(mx) => write!(line, "{} {}", mx.preference, ascii(&mx.exchange)),
        RData::SRV(srv) => write!(line, "{} {} {} {}", srv.priority, srv.weight, srv.port, ascii(&srv.target)),
        RData::SOA(soa) => write!(
            line,
            "{} {} {} {} {} {} {}",
            ascii(&soa.mname),
            ascii(&soa.rname),
            soa.serial,
            // Unsigned on the wire (RFC 1035 §3.3.13).
            soa.refresh.cast_unsigned(),
            soa.retry.cast_unsigned(),
            soa.expire.cast_unsigned(),
            soa.minimum
        ),
        RData::TXT(txt) => write_texts(line, txt.txt_data.iter().map(AsRef::as_ref)),
        RData::HINFO(hinfo) => write_texts(line, [hinfo.cpu.as_ref(), hinfo.os.as_ref()].into_iter()),
        RData::Unknown { rdata, .. } => {
            write!(line, "\\# {}", rdata.anything.len())?;
            for (i, byte) in rdata.anything.iter().enumerate() {
                write!(line, "{}{byte:02x}", if i == 0 { " " } else { "" })?;
            }
            Ok(())
        }
        other => write!(line, "{other}"),
    }
}

/// Character strings in quotes, escaped as RFC 1035 §5.1 has it.
fn write_texts<'a>(line: &mut String, texts: impl Iterator<Item = &'a [u8]>) -> std::fmt::Result {
    for (i, text) in texts.enumerate() {
        line.push_str(if i == 0 { "\"" } else { " \"" });
        for byte in text {
            match byte {
                b'"' | b'\\' => write!(line, "\\{}", char::from(*byte))?,
                b' '..=b'~' => line.push(char::from(*byte)),
                _ => write!(line, "\\{byte:03}")?,
            }
        }
        line.push('"');
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::serialize::binary::{BinDecodable as _, BinDecoder};

    /// A record of `two.test.` with a TTL of a minute, from its type and data as they travel.
    #[track_caller]
    fn check(record_type: u16, data: &[u8], expected: &str) {
        let mut wire = b"\x03two\x04test\0".to_vec();
        wire.extend(record_type.to_be_bytes());
        wire.extend([0, 1, 0, 0, 0, 60]);
        wire.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        wire.extend(data);
        let record = Record::read(&mut BinDecoder::new(&wire)).unwrap();
        assert_eq!(line(&record), expected.replace(' ', "\t").replace('~', " "));
    }

    /// Lines taken from the log of blackbox_exporter 0.23 for the same bytes; `~` stands for a space.
    #[test]
    fn lines_are_those_of_blackbox_exporter() {
        check(1, &[192, 0, 2, 1], "two.test. 60 IN A 192.0.2.1");
        check(28, &[0; 16], "two.test. 60 IN AAAA ::");
        check(15, b"\0\x0a\x0axn--wgv71a\x04test\0", "two.test. 60 IN MX 10~xn--wgv71a.test.");
        check(16, b"\x05he\"\\o\x03b\xffc", r#"two.test. 60 IN TXT "he\"\\o"~"b\255c""#);
        check(33, b"\0\x01\0\x02\0\x03\x03Srv\x04test\0", "two.test. 60 IN SRV 1~2~3~Srv.test.");
        check(257, b"\0\x05issueca.test", r#"two.test. 60 IN CAA 0~issue~"ca.test""#);
        check(
            6,
            b"\x01a\x04test\0\x01b\x04test\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05",
            "two.test. 60 IN SOA a.test.~b.test.~1~2~3~4~5",
        );
        check(2, b"\x03a\tb\x04test\0", r"two.test. 60 IN NS a\009b.test.");
        check(13, b"\x03cpu\x02os", r#"two.test. 60 IN HINFO "cpu"~"os""#);
        check(65280, b"\x01\xab", r"two.test. 60 CLASS1 TYPE65280 \#~2~01ab");
    }
}
