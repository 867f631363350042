//! CEL on JSON bodies: what decides, what is measured, and bodies that are not what they should be.

use std::time::Duration;

use sla_exporter::probe::{Budget, Metric, Reason, Run, Shared, run_as};
use tokio::time::Instant;

use crate::support::http::{answer, serve};
use crate::support::{failure, module, run, succeeded, value};

/// One run with `http` against a server that answers with `body`.
async fn probe(http: &str, body: &str) -> Run {
    let bytes = answer(200, "Content-Type: application/json\r\n", body);
    let server = serve(move |_| bytes.clone()).await;
    run(&module(&format!("{{prober: http, timeout: 10s, http: {http}}}")), &server.url("/")).await
}

#[tokio::test]
async fn an_expression_decides_and_the_metric_says_so() {
    let not = "{fail_if_body_json_not_matches_cel: \"body.foo == 'bar' && body.baz.startsWith('q')\"}";
    let matches = "{fail_if_body_json_matches_cel: \"body.foo == 'bar'\"}";
    for (http, body, part) in [
        (not, r#"{"foo": "bar", "baz": "qux"}"#, None),
        (not, r#"{"foo": "bar", "baz": "xuq"}"#, Some("the body does not match: `body.foo")),
        (not, r#"{"foo": "bar"}"#, Some("no such key: baz")),
        (not, "", Some("not JSON")),
        (not, "foo: bar", Some("not JSON")),
        (matches, r#"{"foo": "baz"}"#, None),
        (matches, r#"{"foo": "bar"}"#, Some("the body matches: `body.foo")),
        (matches, "<html>", Some("not JSON")),
        (matches, "[]", Some("cannot be evaluated with this body")),
        ("{fail_if_body_json_matches_cel: body}", "3", Some("neither true nor false but a double")),
    ] {
        let run = probe(http, body).await;
        match part {
            None => succeeded(&run),
            Some(part) => {
                let (reason, detail) = failure(&run);
                assert_eq!(reason, Reason::Body, "{detail}");
                assert!(detail.contains(part), "{body}: {detail}");
            }
        }
        assert_eq!(value(&run, Metric::FailedDueToCel), Some(f64::from(u8::from(part.is_some()))), "{http} {body}");
        assert_eq!(value(&run, Metric::FailedDueToRegex), None);
    }
}

/// As in blackbox_exporter the metric is there with the expression, and 0 where something else decided.
#[tokio::test]
async fn what_comes_before_the_expression_decides_before_it() {
    let both = "{fail_if_body_matches_regexp: [down], fail_if_body_json_not_matches_cel: body.up}";
    for (http, body, regex, reason) in [
        (both, r#"{"up": true}"#, Some(0.0), None),
        (both, r#"{"up": true, "state": "down"}"#, Some(1.0), Some(Reason::Body)),
        (
            "{valid_status_codes: [204], fail_if_body_json_not_matches_cel: body.up}",
            r#"{"up": true}"#,
            None,
            Some(Reason::Status),
        ),
        (
            "{body_size_limit: 5B, fail_if_body_json_not_matches_cel: body.up}",
            r#"{"up": true}"#,
            None,
            Some(Reason::TooLarge),
        ),
    ] {
        let run = probe(http, body).await;
        assert_eq!(run.failure.as_ref().map(|failure| failure.reason), reason, "{http} {body}");
        assert_eq!(value(&run, Metric::FailedDueToCel), Some(0.0), "{http} {body}");
        assert_eq!(value(&run, Metric::FailedDueToRegex), regex, "{http} {body}");
    }
}

/// A body made to keep a processor busy, asked for by many probes at once, keeps another probe from nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_takes_too_much_holds_up_nobody_else() {
    let body = format!("[{}]", vec!["\"abcdefghij\""; 20_000].join(","));
    let greedy = "{fail_if_body_json_not_matches_cel: 'body.all(x, body.all(y, x == y))'}";
    let many: Vec<_> = (0..4)
        .map(|_| {
            let body = body.clone();
            tokio::spawn(async move { probe(greedy, &body).await })
        })
        .collect();
    let began = Instant::now();
    for _ in 0..10 {
        succeeded(&probe("{fail_if_body_not_matches_regexp: [up]}", r#"{"up": true}"#).await);
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    for one in many {
        let run = one.await.unwrap();
        let (reason, detail) = failure(&run);
        // The last of them may have waited for its turn until its time was up.
        assert!(reason == Reason::Timeout || detail.contains("takes too much with this body"), "{reason}: {detail}");
    }
    succeeded(&probe("{fail_if_body_json_not_matches_cel: body.up}", r#"{"up": true}"#).await);
}

/// Whoever can send requests to /probe can have such bodies judged as often as they like.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_requests_ask_for_never_keeps_the_schedulers_runs_waiting() {
    let body = format!("[{}]", vec!["\"abcdefghij\""; 20_000].join(","));
    let bytes = answer(200, "Content-Type: application/json\r\n", &body);
    let server = serve(move |_| bytes.clone()).await;
    let url = server.url("/");
    let asked: Vec<_> = (0..30)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move {
                let greedy = "{fail_if_body_json_not_matches_cel: 'body.all(x, body.all(y, x == y))'}";
                let module = module(&format!("{{prober: http, timeout: 60s, http: {greedy}}}"));
                let budget = Budget { timeout: Duration::from_secs(60), attempts: 1, spare: Duration::ZERO };
                run_as(&module, &url, None, budget, &Shared::new()).await
            })
        })
        .collect();
    // Until they wait in a row: each is given two seconds.
    tokio::time::sleep(Duration::from_millis(500)).await;
    for _ in 0..3 {
        succeeded(&probe("{fail_if_body_json_not_matches_cel: body.up}", r#"{"up": true}"#).await);
    }
    assert!(asked.iter().any(|one| !one.is_finished()), "they are under way all the same");
    asked.iter().for_each(tokio::task::JoinHandle::abort);
}
