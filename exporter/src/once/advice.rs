//! What to do about a failure, by its reason: the first thing to try, not all there is. Pure.

use crate::probe::{Prober, Reason};

/// A sentence or two for whoever looks at a failed `module`.
pub(crate) fn of(reason: Reason, prober: &Prober) -> &'static str {
    match (reason, prober) {
        (Reason::Status | Reason::Header | Reason::Body | Reason::Redirect, Prober::Flow(_)) => {
            "take the step by hand, in a browser with its developer tools or with `curl -si` and its cookies, and compare with \
             what the step expects. Mostly the page was changed, or the account cannot log in any more."
        }
        (Reason::TooLarge, Prober::Flow(_)) => {
            "ask for a smaller page, or raise body_size_limit; captured texts are short."
        }
        (Reason::Refused, Prober::Clamd(_)) => {
            "nothing listens there: is clamd running (`systemctl status clamav-daemon`; it does not start without signatures), and does \
             its clamd.conf have this TCPSocket or LocalSocket?"
        }
        (Reason::Protocol, Prober::Clamd(_)) => {
            "something else answers there: is it clamd's port? By hand: `echo zPING | tr '\\n' '\\0' | nc HOST PORT`."
        }
        (Reason::Body, Prober::Clamd(_)) => {
            "what is infected passes: look at clamd's log and at its signatures (DatabaseDirectory of its clamd.conf), and run \
             freshclam. A test of the same kind by hand: `clamdscan` with the file of eicar.org."
        }
        (Reason::TooLarge, Prober::Clamd(_)) => {
            "a StreamMaxLength below the length of a test says that mails are not scanned either: raise it in clamd.conf."
        }
        (Reason::Status, Prober::Grpc(_)) => {
            "the server answers. NOT_SERVING and UNAVAILABLE: see its log; NOT_FOUND: the module's service is spelt otherwise there; \
             UNIMPLEMENTED: it has no health service. By hand: `grpc-health-probe -addr HOST:PORT`."
        }
        (Reason::Refused, Prober::Unix(_)) => {
            "nobody accepts connections on the socket: is the service running, and is it the right path, seen from this process?"
        }
        (Reason::Status, Prober::Websocket(_)) => {
            "the server answers, and not with a WebSocket: is it the right path, does a proxy in front pass on the header Upgrade, are \
             its headers (Origin, a token) as the server wants them?"
        }
        (Reason::Dns, Prober::Dns(_)) => {
            "look whether the name server of the target answers at all: `dig @SERVER NAME`."
        }
        (Reason::Dns, _) => {
            "look the name up on this host: `getent hosts NAME`. Not there either: its spelling, /etc/resolv.conf, the name server."
        }
        (Reason::Connect, _) => {
            "look at the route and the firewalls between here and there: `ip route get ADDRESS`. An address of a family this host \
             cannot use is kept out with preferred_ip_protocol and ip_protocol_fallback: false; source_ip_address is one of `ip address`."
        }
        (Reason::Refused, _) => {
            "the host answers, and nothing listens there: is the service running, and is it the right port?"
        }
        (Reason::Reset, _) => {
            "whoever answers hangs up: see its log. A port that wants TLS, a list of allowed addresses and a server out of places \
             do that."
        }
        (Reason::Timeout, Prober::Icmp(_)) => {
            "no reply: the host is down, or something on the way drops echoes. Try a port of it, such as HOST:22."
        }
        (Reason::Timeout, _) => {
            "the last step above is what took too long. While connecting, mostly a firewall that drops packets; later, a service \
             that hangs. A longer --timeout tells slow from never."
        }
        (Reason::ClientCertificate, _) => {
            "give the module a certificate the peer accepts (cert_file, key_file). It has one: is it of an issuer the peer trusts, sent \
             with its intermediates, and not expired?"
        }
        (Reason::Tls, Prober::Http(_)) => {
            "compare what both sides offer: does the port speak TLS, which versions (min_version)? Or: is the last address https where it must be (fail_if_not_ssl)?"
        }
        (Reason::Tls, _) => "compare what both sides offer: does the port speak TLS, and which versions (min_version)?",
        (Reason::Certificate, _) => {
            "see the certificates above: renew what has expired, have the server send its intermediates, name a private CA with \
             ca_file, and another name than the target's with server_name. One that is not valid yet: whose clock is wrong?"
        }
        (Reason::Protocol, Prober::Http(_)) => {
            "look at what comes (`curl -sv`): something else on this port, HTTP where HTTPS is meant, an answer that a server or a proxy \
             spoils, or a version that valid_http_versions does not have."
        }
        (Reason::Protocol, _) => {
            "something else answers on this port: HTTP where HTTPS is meant or the other way round, another protocol, a proxy."
        }
        (Reason::Status, Prober::Dns(_)) => {
            "the name server answers and has no such answer: look at the zone, or at valid_rcodes."
        }
        (Reason::Status, _) => {
            "the target works and is not content: see its log at this time. Statuses that are fine go into valid_status_codes."
        }
        (Reason::Header, _) => {
            "compare the answer (`curl -sI`) with fail_if_header_matches and fail_if_header_not_matches of the module."
        }
        (Reason::Body, Prober::Http(_)) => {
            "compare the answer (`curl -s`) with fail_if_body_matches_regexp, fail_if_body_json_matches_cel and the like of the module."
        }
        (Reason::Body, Prober::Dns(_)) => {
            "compare the answer (`dig`) with validate_answer_rrs and its like of the module."
        }
        (Reason::Body, Prober::Unix(_)) => {
            "compare what the target says (`nc -U PATH`) with query_response of the module."
        }
        (Reason::Body, Prober::Websocket(_)) => {
            "compare what the server says, in a browser's developer tools or with `websocat URL`, with query_response of the module."
        }
        (Reason::Body, _) => "compare what the target says (`nc HOST PORT`) with query_response of the module.",
        (Reason::Redirect, _) => {
            "follow it by hand: `curl -sIL`. A loop is mostly http to https and back. With follow_redirects: false the first \
             answer is judged."
        }
        (Reason::TooLarge, Prober::Http(_)) => {
            "a body: probe a smaller page, or raise body_size_limit. Headers: see what fills them (`curl -sI`), cookies mostly."
        }
        (Reason::TooLarge, _) => "the target says more than a probe reads: is it the service that is meant?",
        (Reason::Query, _) => {
            "run the module's query as the same user with psql: rights, search_path and a table that is gone are usual."
        }
        (Reason::Permission, _) => {
            "the message names what is not permitted and how it is granted. Secret files are read by the user this runs as; a \
             client that is refused a token has another secret, or no right to the scopes."
        }
        (Reason::ExpectedFailure, _) => {
            "the target answered, and the module says that it must not: close it, or correct the module."
        }
        (Reason::Internal, _) => "a fault on this side: `ulimit -n`, memory. If it stays, report it with this text.",
    }
}

#[cfg(test)]
mod tests {
    use super::super::choice;
    use super::*;

    #[test]
    fn every_reason_has_a_sentence_and_its_options_exist() {
        let docs: String = ["http", "tcp", "icmp", "dns", "grpc", "unix", "websocket", "postgres", "clamd"]
            .map(|prober| std::fs::read_to_string(format!("../docs/modules/{prober}.md")).unwrap())
            .concat();
        for (target, module) in [
            ("https://a/", None),
            ("a:1", None),
            ("a", None),
            ("/a", None),
            ("ws://a/", None),
            ("a", Some("grpc")),
            ("a", Some("clamd")),
        ] {
            let module = choice::choose(None, target, module).unwrap().remove(0).module;
            for reason in Reason::ALL {
                let advice = of(*reason, &module.prober);
                assert!(advice.ends_with(['.', '?']) && advice.len() > 30, "{reason}: {advice}");
                let words = advice.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                for option in words.filter(|word| word.contains('_')) {
                    assert!(docs.contains(option), "{reason}: there is no option {option}");
                }
            }
        }
    }
}
