//! The `http_flow` prober: users' ways through a service, what is said where one ends, and what is cleaned up all the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sla_exporter::probe::{Budget, Extra, Metric, Module, Reason, Run, Shared, run_traced};
use url::form_urlencoded;

use crate::support::http::{Server, answer, serve, serve_tls};
use crate::support::pki::{Authority, start_of};
use crate::support::postgres::{PASSWORD, Postgres};
use crate::support::{documented, failure, module, run, server, succeeded, value};

const YEARS: (i32, i32) = (2020, 2080);
const SECRET: &str = "hunter2-secret";

/// A service with a login, a form and counted links.
#[derive(Default)]
struct Shop {
    entries: Vec<String>,
    clicks: HashMap<String, u32>,
    /// Clicks that are not counted.
    forgetful: bool,
}

impl Shop {
    fn answer(&mut self, request: &str) -> Vec<u8> {
        let (head, body) = request.split_once("\r\n\r\n").unwrap_or_default();
        let mut words = head.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let form: HashMap<String, String> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method, &segments[..]) {
            ("GET", ["login"]) => {
                answer(200, "Set-Cookie: pre=1; Path=/\r\n", "<form><input name=csrf value='t&quot;7'></form>")
            }
            ("POST", ["login"]) => {
                let good = field("csrf") == "t\"7"
                    && field("user") == "demo"
                    && field("password") == SECRET
                    && head.contains("pre=1");
                if good {
                    answer(303, "Location: /app\r\nSet-Cookie: session=s3ss10n; Path=/; HttpOnly\r\n", "")
                } else {
                    answer(200, "", &format!("<p class=error>wrong: {}</p>", field("password")))
                }
            }
            ("GET", ["app"]) if head.contains("session=s3ss10n") => answer(200, "", "<h1>Welcome,\n <b>demo</b></h1>"),
            ("GET", ["app"]) => answer(302, "Location: /login\r\n", ""),
            ("POST", ["form"]) => {
                self.entries.push(field("text").to_owned());
                answer(303, &format!("Location: /form/{}\r\n", self.entries.len()), "")
            }
            ("GET", ["form", id]) => match id.parse::<usize>().ok().and_then(|id| self.entries.get(id - 1)) {
                Some(text) => answer(200, "", &format!("<p>{text}</p>")),
                None => answer(404, "", "no such entry"),
            },
            ("DELETE", ["form", id]) => {
                self.entries[id.parse::<usize>().unwrap() - 1] = "deleted".to_owned();
                answer(200, "", "")
            }
            ("POST", ["repeat"]) => answer(303, &format!("Location: /seen/{}\r\n", field("password")), ""),
            ("GET", ["seen", _]) => answer(200, "", "seen"),
            ("POST", ["json"]) => answer(200, "Content-Type: application/json\r\n", &format!("{{\"you\": {body}}}")),
            ("GET", ["c", link]) => {
                *self.clicks.entry((*link).to_owned()).or_default() += u32::from(!self.forgetful);
                answer(302, &format!("Location: /landing/{link}\r\n"), "")
            }
            ("GET", ["c", link, "count"]) => {
                answer(200, "", &format!("{}\n", self.clicks.get(*link).copied().unwrap_or(0)))
            }
            ("GET", ["landing", _]) => answer(200, "", "landed"),
            _ => answer(404, "", "not here"),
        }
    }

    async fn serve(self) -> (Server, Arc<Mutex<Self>>) {
        let shop = Arc::new(Mutex::new(self));
        let shared = Arc::clone(&shop);
        (serve(move |request| shared.lock().unwrap().answer(request)).await, shop)
    }
}

/// A flow out of its section, indented by four.
#[track_caller]
fn flow(section: &str) -> Arc<Module> {
    flow_within("10s", section)
}

#[track_caller]
fn flow_within(timeout: &str, section: &str) -> Arc<Module> {
    let section = section.replace("\n    ", "\n  ");
    module(&format!(
        "prober: http_flow\ntimeout: {timeout}\nhttp_flow:\n  preferred_ip_protocol: ip4\n  {}\n",
        section.trim()
    ))
}

/// Steps with their success, in order.
fn steps(run: &Run) -> Vec<(String, bool)> {
    let of = |sample: &sla_exporter::probe::Sample| match &sample.extra {
        Extra::Rendered(text) => {
            (text.trim_start_matches("step=\"").trim_end_matches('"').to_owned(), sample.value > 0.5)
        }
        _ => panic!("{sample:?}"),
    };
    run.samples.iter().filter(|sample| sample.metric == Metric::FlowStepSuccess).map(of).collect()
}

fn taken(run: &Run) -> String {
    steps(run)
        .iter()
        .map(|(name, good)| format!("{name}{}", if *good { "" } else { "!" }))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The reason and the detail of a failure, which is in the metrics too.
#[track_caller]
fn failed(run: &Run, step: &str, reason: Reason, words: &str) {
    let (found, detail) = failure(run);
    assert_eq!(found, reason, "{detail}");
    assert!(
        detail.starts_with(&format!("step {step}: ")) && detail.contains(words),
        "{words}\nis missing in\n{detail}"
    );
    let info = run.samples.iter().find(|sample| sample.metric == Metric::FlowFailedStepInfo).unwrap();
    assert_eq!(info.extra, Extra::Rendered(format!("step=\"{step}\",reason=\"{}\"", reason.as_str()).into()));
    assert!(!detail.contains(SECRET) && !detail.contains("s3ss10n"), "{detail}");
}

/// C2.6.5–6, C4.1: with client certificate, user and password, to the page behind the login.
#[tokio::test]
async fn a_login_with_certificate_user_and_password_sees_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let ca = root.write(folder.path());
    let (cert, key) = root.issue(&["monitor"], YEARS).write(folder.path());
    let shop = Mutex::new(Shop::default());
    let acceptor = root.issue(&["127.0.0.1"], YEARS).acceptor(&[], Some(&root));
    let server = serve_tls(acceptor, move |request| shop.lock().unwrap().answer(request)).await;
    let password = folder.path().join("password");
    std::fs::write(&password, format!("{SECRET}\n")).unwrap();
    let tls = format!(
        "tls_config: {{ca_file: {}, cert_file: {}, key_file: {}}}",
        ca.display(),
        cert.display(),
        key.display()
    );
    let section = |tls: &str| {
        format!(
            "{tls}
    variables: {{user: demo, password: {{file: {}}}}}
    steps:
      - name: page
        request: {{url: /login}}
        capture: {{csrf: {{css: \"input[name=csrf]\", attribute: value}}}}
      - name: login
        request: {{url: /login, form: {{user: \"{{{{user}}}}\", password: \"{{{{password}}}}\", csrf: \"{{{{csrf}}}}\"}}}}
        expect: {{redirect: \"/app$\"}}
        capture: {{session: {{cookie: session}}}}
      - name: app
        request: {{url: /app}}
        expect: {{checks: [{{css: h1, equals: \"Welcome, {{{{user}}}}\"}}, {{url: true, matches: \"/app$\"}}]}}",
            password.display()
        )
    };
    let target = format!("https://{}", server.address);
    let good = run(&flow(&section(&tls)), &target).await;
    succeeded(&good);
    assert_eq!(taken(&good), "page login app");
    assert_eq!(value(&good, Metric::SslEarliestCertExpiry), Some(start_of(2080)));
    assert_eq!(value(&good, Metric::HttpStatusCode), Some(200.0));

    // Without the certificate.
    let run_without = run(&flow(&section(&format!("tls_config: {{ca_file: {}}}", ca.display()))), &target).await;
    failed(&run_without, "page", Reason::ClientCertificate, "asks for a client certificate");
    assert_eq!(taken(&run_without), "page!");
    // With another password: read anew.
    std::fs::write(&password, "wrong").unwrap();
    let wrong = run(&flow(&section(&tls)), &target).await;
    failed(&wrong, "login", Reason::Status, "status 200; expected 3xx");
}

/// C4.2: the form is submitted and read back, with a marker of this run alone, and taken away again.
#[tokio::test]
async fn a_form_is_submitted_read_back_and_cleaned_up() {
    let (server, shop) = Shop::default().serve().await;
    let module = flow(
        "steps:
      - name: submit
        request: {url: /form, form: {text: \"probe {{run_id}}\"}}
        expect: {redirect: \"/form/[0-9]+$\"}
        capture: {place: {header: Location}, id: {header: Location}}
      - name: read
        request: {url: \"{{place}}\"}
        expect: {time: 5s, checks: [{css: p, contains: \"{{run_id}}\"}]}
    cleanup:
      - name: delete
        request: {method: DELETE, url: \"{{place}}\"}",
    );
    for entry in 1..=2 {
        let run = run(&module, &server.url("")).await;
        succeeded(&run);
        assert_eq!(taken(&run), "submit read delete");
        assert_eq!(value(&run, Metric::FlowCleanupSuccess), Some(1.0));
        assert_eq!(shop.lock().unwrap().entries, vec!["deleted"; entry]);
    }
    let texts: Vec<String> = server.requests().into_iter().filter(|request| request.starts_with("POST")).collect();
    assert_ne!(texts[0], texts[1], "each run has a marker of its own");
}

/// C4.2: the link is followed and the count has risen.
#[tokio::test]
async fn a_click_is_followed_and_the_count_rises() {
    let steps = "steps:
      - name: before
        request: {url: /c/campaign/count}
        capture: {before: {regex: \"^[0-9]+\"}}
      - name: click
        request: {url: /c/campaign}
        expect: {status: 302, redirect: \"/landing/campaign$\"}
      - name: follow
        request: {url: /c/other}
        expect: {checks: [{body: true, equals: landed}, {url: true, matches: \"/landing/other$\"}]}
      - name: after
        request: {url: /c/campaign/count}
        expect: {checks: [{regex: \"^[0-9]+\", above: \"{{before}}\"}]}";
    let (server, shop) = Shop::default().serve().await;
    let good = run(&flow(steps), &server.url("")).await;
    succeeded(&good);
    assert_eq!(taken(&good), "before click follow after");
    shop.lock().unwrap().forgetful = true;
    let bad = run(&flow(steps), &server.url("")).await;
    failed(&bad, "after", Reason::Body, "is 1; expected above 1");
}

/// The click is in the database.
#[tokio::test]
async fn a_query_sees_what_was_captured_as_a_text_and_as_nothing_else() {
    let postgres = Postgres::shared();
    let (server, _) = Shop::default().serve().await;
    let password = postgres.password_file(PASSWORD);
    let query = |query: &str, expect: &str| {
        flow(&format!(
            "variables: {{evil: \"x'; DROP TABLE a; --\\\\\"}}
    steps:
      - name: count
        request: {{url: /c/x/count}}
        capture: {{count: {{body: true}}}}
      - name: query
        postgres:
          target: \"127.0.0.1:{}\"
          user: monitor
          dbname: postgres
          password_file: {}
          preferred_ip_protocol: ip4
          query: {query}
        expect: {{checks: [{{value: true, {expect}}}]}}
        capture: {{found: {{value: true}}}}
      - name: use
        request: {{url: \"/c/{{{{found}}}}/count\"}}",
            postgres.port,
            password.display()
        ))
    };
    let good = run(
        &query("\"SELECT {{evil}} || ' has ' || length({{evil}})\"", "equals: \"{{evil}} has 21\""),
        &server.url(""),
    )
    .await;
    succeeded(&good);
    assert_eq!(taken(&good), "count query use");
    // In a URL it is one segment.
    let asked = server.requests().pop().unwrap();
    assert!(asked.starts_with("GET /c/x%27%3B%20DROP%20TABLE%20a%3B%20--%5C%20has%2021/count "), "{asked}");
    let bad = run(&query("\"SELECT 1 + {{count}}::int\"", "above: 1"), &server.url("")).await;
    failed(&bad, "query", Reason::Query, "the query's value is 1; expected above 1");
    let bad = run(&query("\"SELECT nothing\"", "at_least: 1"), &server.url("")).await;
    failed(&bad, "query", Reason::Query, "nothing");
}

#[tokio::test]
async fn bodies_of_each_kind_are_sent_with_variables_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    std::fs::write(&file, "from {{disk}}").unwrap();
    let (server, _) = Shop::default().serve().await;
    let send = async |body: &str, words: &[&str]| {
        let section = format!(
            "variables: {{v: 'a\"b&c'}}\n    headers: {{X-Run: \"{{{{run_id}}}}\"}}\n    steps: [{{name: s, request: {{url: /json, {body}}}}}]"
        );
        succeeded(&run(&flow(&section), &server.url("")).await);
        let sent = server.requests().pop().unwrap();
        assert!(sent.starts_with("POST /json ") && sent.contains("\r\nx-run: sla"), "{sent}");
        for words in words {
            assert!(sent.contains(words), "{words}\nis missing in\n{sent}");
        }
    };
    send("form: {text: \"{{v}}\"}", &["x-www-form-urlencoded", "\r\n\r\ntext=a%22b%26c"]).await;
    send(
        "json: {n: 7, s: \"7\", t: \"x {{v}}\", l: [true, null, 1.5, yes], \"a b\": {}}",
        &[
            "application/json",
            "\"n\":7",
            "\"s\":\"7\"",
            "\"t\":\"x a\\\"b&c\"",
            "\"l\":[true,null,1.5,\"yes\"]",
            "\"a b\":{}",
        ],
    )
    .await;
    send("body: \"raw {{v}}\", headers: {Content-Type: text/x}", &["content-type: text/x\r\n", "\r\n\r\nraw a\"b&c"])
        .await;
    let path = file.display();
    send(&format!("body_file: {path}"), &["octet-stream", "\r\n\r\nfrom {{disk}}"]).await;
    send(
        &format!("multipart: [{{name: t, value: \"{{{{v}}}}\"}}, {{name: f, file: {path}, content_type: text/plain}}]"),
        &[
            "multipart/form-data; boundary=--sla-exporter-sla",
            "name=\"t\"\r\n\r\na\"b&c\r\n",
            "filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nfrom {{disk}}\r\n",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_step_that_fails_ends_the_flow_and_says_which_and_why() {
    let (server, _) = Shop::default().serve().await;
    for (step, reason, words) in [
        ("request: {url: /nowhere}", Reason::Status, "status 404; expected 2xx"),
        ("request: {url: /nowhere}\n        expect: {status: [200, 3xx]}", Reason::Status, "expected 200, 3xx"),
        ("request: {url: /landing/x}\n        expect: {redirect: /app}", Reason::Status, "status 200; expected 3xx"),
        (
            "request: {url: /c/x}\n        expect: {redirect: /app}",
            Reason::Redirect,
            "/landing/x; expected a match of `/app`",
        ),
        (
            "request: {url: /landing/x}\n        expect: {checks: [{body: true, equals: x}]}",
            Reason::Body,
            "is `landed`; expected `x`",
        ),
        ("request: {url: /landing/x}\n        expect: {checks: [{json: $.a}]}", Reason::Body, "the body is not JSON"),
        (
            "request: {url: /landing/x}\n        expect: {checks: [{header: X-A}]}",
            Reason::Header,
            "header x-a was not found",
        ),
        (
            "request: {url: /landing/x}\n        capture: {a: {cookie: session}}",
            Reason::Header,
            "cannot capture `a`: cookie session was not found",
        ),
        (
            "request: {url: /landing/x}\n        expect: {checks: [{status: true, equals: 201}]}",
            Reason::Status,
            "expected `201`",
        ),
        (
            "request: {url: /landing/x}\n        expect: {time: 1ms}\n        timeout: 3s",
            Reason::Timeout,
            "expected at most 1ms",
        ),
    ] {
        // A connection over loopback may take less than a millisecond.
        let slow = step.contains("1ms");
        let section =
            format!("steps:\n      - name: bad\n        {step}\n      - {{name: never, request: {{url: /login}}}}");
        let run = run(&flow(&section), &server.url("")).await;
        if slow && run.failure.is_none() {
            continue;
        }
        failed(&run, "bad", reason, words);
        assert_eq!(taken(&run), "bad!", "{step}");
    }
}

#[tokio::test]
async fn a_secret_that_the_target_repeats_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, SECRET).unwrap();
    let (server, _) = Shop::default().serve().await;
    let section = format!(
        "variables: {{password: {{file: {}}}}}\n    steps:\n      - name: login\n        request: {{url: /login, form: {{password: \"{{{{password}}}}\"}}}}\n        \
         expect: {{checks: [{{css: .error, equals: none}}]}}",
        file.display()
    );
    let run = run(&flow(&section), &server.url("")).await;
    failed(&run, "login", Reason::Body, "is `wrong: <secret>`; expected `none`");
}

/// What `sla-exporter probe` and `debug=true` show: what happened within each step, and the certificates, without secrets.
#[tokio::test]
async fn what_happens_within_each_step_is_told_to_who_looks() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, SECRET).unwrap();
    let root = Authority::new("root");
    let ca = root.write(folder.path());
    let shop = Mutex::new(Shop::default());
    let acceptor = root.issue(&["127.0.0.1"], YEARS).acceptor(&[], None);
    let server = serve_tls(acceptor, move |request| shop.lock().unwrap().answer(request)).await;
    let section = format!(
        "tls_config: {{ca_file: {}}}\n    variables: {{password: {{file: {}}}}}\n    steps:\n      - {{name: page, request: {{url: /login}}}}\n      \
         - {{name: repeat, request: {{url: /repeat, form: {{password: \"{{{{password}}}}\"}}}}}}",
        ca.display(),
        file.display()
    );
    let (module, target) = (flow(&section), format!("https://{}", server.address));
    let budget = Budget { attempts: 1, timeout: Duration::from_secs(5), spare: Duration::ZERO };
    let (run, trace) = run_traced(&module, &target, None, budget, &Shared::new()).await;
    succeeded(&run);
    let told: Vec<(bool, &str)> = trace.steps().iter().map(|step| (step.found, step.what.as_str())).collect();
    let place = |what: (bool, &str)| {
        told.iter().position(|one| *one == what).unwrap_or_else(|| panic!("{what:?} is not in {told:#?}"))
    };
    let order = [
        place((false, "step page")),
        place((true, "TLS 1.3")),
        place((true, "HTTP/1.1 200 OK")),
        place((false, "step repeat")),
        place((true, "HTTP/1.1 303 See Other")),
        place((true, &format!("redirected to {target}/seen/<secret>"))),
    ];
    assert!(order.is_sorted(), "{told:#?}");
    assert!(!format!("{told:?}").contains(SECRET), "{told:#?}");
    assert!(trace.steps().is_sorted_by_key(|step| step.at));
    assert_eq!(trace.certificates().iter().map(|one| one.names.as_slice()).collect::<Vec<_>>(), [["127.0.0.1"]]);
}

#[tokio::test]
async fn clean_up_runs_after_a_failure_and_after_a_timeout_as_far_as_it_can() {
    let (hanging, _) = (
        server(|stream| async move {
            let _keep = stream;
            std::future::pending::<()>().await;
        })
        .await,
        (),
    );
    let (shop, state) = Shop::default().serve().await;
    let section = format!(
        "cleanup_timeout: 2s
    steps:
      - name: submit
        request: {{url: /form, form: {{text: x}}}}
        expect: {{redirect: /form/}}
        capture: {{place: {{header: Location}}}}
      - name: hangs
        request: {{url: \"http://{hanging}/\"}}
      - name: never
        request: {{url: /login}}
        capture: {{other: {{body: true}}}}
    cleanup:
      - {{name: unmade, request: {{url: \"/c/{{{{other}}}}\"}}}}
      - {{name: broken, request: {{url: /nowhere}}}}
      - {{name: delete, request: {{method: DELETE, url: \"{{{{place}}}}\"}}}}"
    );
    let began = tokio::time::Instant::now();
    let run = run(&flow_within("4s", &section), &shop.url("")).await;
    failed(&run, "hangs", Reason::Timeout, "while waiting for the response");
    assert!(began.elapsed() < Duration::from_secs(4) + Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(taken(&run), "submit hangs! broken! delete");
    assert_eq!(value(&run, Metric::FlowCleanupSuccess), Some(0.0));
    assert_eq!(state.lock().unwrap().entries, ["deleted"]);
    // The last answer of the flow itself; the clean-up's 404 is none of it.
    assert_eq!(value(&run, Metric::HttpStatusCode), Some(303.0));
}

#[tokio::test]
async fn what_an_answer_that_is_wrong_has_made_is_cleaned_up_too() {
    let (shop, state) = Shop::default().serve().await;
    for expect in ["redirect: /elsewhere", "status: 200", "checks: [{header: X-Missing}]"] {
        let section = format!(
            "steps:
      - name: submit
        request: {{url: /form, form: {{text: x}}, follow_redirects: false}}
        expect: {{{expect}}}
        capture: {{place: {{header: Location}}, more: {{header: X-Missing}}}}
    cleanup:
      - {{name: delete, request: {{method: DELETE, url: \"{{{{place}}}}\"}}}}"
        );
        let run = run(&flow(&section), &shop.url("")).await;
        assert!(run.failure.is_some(), "{expect}");
        assert_eq!(taken(&run), "submit! delete", "{expect}");
    }
    assert!(state.lock().unwrap().entries.iter().all(|entry| entry == "deleted"));
}

#[tokio::test]
async fn a_steps_own_timeout_leaves_the_others_their_time() {
    let hanging = server(|stream| async move {
        let _keep = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let section = format!(
        "step_timeout: 9s\n    steps: [{{name: hangs, timeout: 300ms, request: {{url: \"http://{hanging}/\"}}}}]"
    );
    let run = run(&flow(&section), &format!("http://{hanging}")).await;
    failed(&run, "hangs", Reason::Timeout, "not finished within 300ms, while waiting for the response");
}

#[tokio::test]
async fn what_a_target_sends_does_not_lead_elsewhere() {
    let other = serve(|_| answer(200, "", "other")).await;
    let elsewhere = other.url("/x");
    let to = elsewhere.clone();
    let hostile = serve(move |request| {
        if request.starts_with("POST") {
            answer(307, &format!("Location: {to}\r\n"), "")
        } else if request.starts_with("GET /there") {
            answer(302, &format!("Location: {to}\r\n"), "")
        } else {
            answer(200, "", &to)
        }
    })
    .await;
    let link = "steps:
      - {name: page, request: {url: /}, capture: {link: {body: true}}}
      - {name: link, request: {url: \"{{link}}\"OTHER}}";
    let bad = run(&flow(&link.replace("OTHER", "")), &hostile.url("")).await;
    failed(&bad, "link", Reason::Redirect, "leads to http://127.0.0.1:");
    succeeded(&run(&flow(&link.replace("OTHER", ", other_hosts: true")), &hostile.url("")).await);
    assert_eq!(other.requests().len(), 1);
    for more in [", other_hosts: true, form: {a: b}", ", other_hosts: true, basic_auth: {username: u}"] {
        let bad = run(&flow(&link.replace("OTHER", more)), &hostile.url("")).await;
        failed(&bad, "link", Reason::Redirect, "would be given what is for the target");
    }
    assert_eq!(other.requests().len(), 1);
    // A form is not handed on, nor is a secret header; a plain request may be.
    let bad = run(&flow("steps: [{name: post, request: {url: /, form: {a: b}}}]"), &hostile.url("")).await;
    failed(&bad, "post", Reason::Redirect, "would be given what was sent");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, SECRET).unwrap();
    let section = format!(
        "variables: {{api_token: {{file: {}}}}}\n    steps: [{{name: get, request: {{url: /there, headers: {{Authorization: \"T {{{{api_token}}}}\", X-Key: \"{{{{api_token}}}}\", X-Plain: p}}}}}}]",
        file.display()
    );
    succeeded(&run(&flow(&section), &hostile.url("")).await);
    assert!(hostile.requests().pop().unwrap().contains(SECRET));
    let asked = other.requests().pop().unwrap();
    assert!(!asked.contains(SECRET) && asked.contains("x-plain: p"), "{asked}");
}

#[tokio::test]
async fn hostile_bodies_have_a_bound() {
    let large = serve(|_| answer(200, "", &"<p>x</p>".repeat(50_000))).await;
    let section = "body_size_limit: 100KB\n    steps: [{name: get, request: {url: /}, expect: {checks: [{css: p}]}}]";
    let bad = run(&flow(section), &large.url("")).await;
    failed(&bad, "get", Reason::TooLarge, "");
    let loops = serve(|_| answer(302, "Location: /again\r\n", "")).await;
    let bad = run(&flow("steps: [{name: get, request: {url: /}}]"), &loops.url("")).await;
    failed(&bad, "get", Reason::Redirect, "more than 10 redirects");
    let long = serve(|_| answer(200, "", &"x".repeat(5000))).await;
    let bad = run(&flow("steps: [{name: get, request: {url: /}, capture: {a: {body: true}}}]"), &long.url("")).await;
    failed(&bad, "get", Reason::TooLarge, "cannot capture `a`");
    let evil = serve(|_| answer(200, "", "a\r\nX-Evil: 1")).await;
    let section = "steps:\n      - {name: get, request: {url: /}, capture: {a: {body: true}}}\n      - {name: use, request: {url: /, headers: {X-A: \"{{a}}\"}}}";
    let bad = run(&flow(section), &evil.url("")).await;
    failed(&bad, "use", Reason::Header, "characters a header cannot carry");
}

#[test]
fn the_documented_modules_are_good() {
    let modules = documented("http_flow.md");
    assert!(modules.len() >= 3, "{modules:?}");
}
