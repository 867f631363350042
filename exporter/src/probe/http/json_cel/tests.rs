//! What expressions say of bodies, what is refused when the configuration is read, and that nothing takes more than its share.

use std::path::Path;
use std::time::Duration;

use ::cel::common::value::Val;
use tokio::time::Instant;

use super::*;
use crate::config::decode::Cursor;
use crate::config::diagnostics::Document;
use crate::config::node;

fn decide(expression: &str, body: &str) -> Result<bool, String> {
    of_value(expression, &*value::parse(body.as_bytes())?)
}

fn of_value(expression: &str, body: &(dyn Val + 'static)) -> Result<bool, String> {
    let (program, body) = (Program::compile(expression)?, body.clone_as_boxed());
    on_a_thread(move || program.decide(body)).unwrap().join().unwrap()
}

#[track_caller]
fn check(body: &str, cases: &[(&str, bool)]) {
    for (expression, expected) in cases {
        assert_eq!(decide(expression, body), Ok(*expected), "{expression} with {body}");
    }
}

#[test]
fn fields_and_items_are_found() {
    check(
        r#"{"status": "ok", "parts": [{"name": "db", "up": true}, {"name": "queue", "up": false}], "none": null}"#,
        &[
            ("body.status == 'ok'", true),
            ("body['status'] == \"ok\" && body.status.startsWith('o')", true),
            ("body.status == 'OK'", false),
            ("body.parts[1].name == 'queue'", true),
            ("body.parts.all(part, part.up)", false),
            ("body.parts.exists(part, !part.up && part.name == 'queue')", true),
            ("body.parts.exists_one(part, part.up)", true),
            ("body.parts.filter(part, part.up).map(part, part.name) == ['db']", true),
            ("body.parts.map(part, part.up, part.name) == ['db']", true),
            ("size(body.parts) == 2 && body.parts.size() == 2", true),
            ("body.none == null", true),
            ("'status' in body && !('state' in body)", true),
            ("body.all(key, size(key) > 3)", true),
            ("body.status in ['ok', 'degraded']", true),
            ("body.status.matches('^(ok|fine)$')", true),
            ("body.status.contains('k') ? true : false", true),
        ],
    );
}

#[test]
fn presence_is_asked_with_has() {
    check(
        r#"{"a": {"b": 1}}"#,
        &[("has(body.a)", true), ("has(body.x)", false), ("has(body.a.b) && body.a.b == 1", true)],
    );
    check(r#"{"a": 1}"#, &[("has(body.a) || has(body.x.y)", true), ("!has(body.x) || body.x == 1", true)]);
}

#[test]
fn a_body_need_not_be_an_object() {
    for (body, expression) in [
        ("[1, 2]", "body == [1, 2]"),
        ("[1, 2]", "[1.0, 2] == body"),
        ("3", "body == 3 && 3 == body && body + 1.0 > 3"),
        ("\"日本\"", "body.size() == 2"),
        (" null\n", "body == null"),
        ("{}", "body == {}"),
        (r#"{"x": [{"y": 1}]}"#, "{'x': [{'y': 1}]} == body"),
        (r#"{"a": 1, "a": 2}"#, "body.a == 2"),
        ("true", "body && !(!body) && (body ? true : false)"),
    ] {
        check(body, &[(expression, true)]);
    }
}

#[test]
fn a_number_is_a_double_as_for_blackbox_exporter() {
    check(
        r#"{"n": 3, "large": 9007199254740993, "part": 0.5}"#,
        &[
            ("type(body.n) == double", true),
            ("body.n == 3 && body.n > 2 && body.n <= 3u && body.n == 3.0", true),
            ("body.n + 1.0 == 4", true),
            ("int(body.n) % 2 == 1", true),
            ("body.large == 9007199254740992.0", true),
            ("string(body.n) == '3'", true),
            ("body.part * 2.0 == 1", true),
        ],
    );
    let why = decide("body.n + 1 == 4", r#"{"n": 3}"#).unwrap_err();
    assert!(why.contains("is not for such values"), "{why}");
}

#[test]
fn times_can_be_compared() {
    check(
        r#"{"built": "2026-10-01T00:00:00Z", "lag": "90s"}"#,
        &[
            ("timestamp(body.built) > timestamp('2026-09-30T23:59:59Z')", true),
            ("timestamp(body.built).getFullYear() == 2026", true),
            ("duration(body.lag) < duration('2m')", true),
        ],
    );
}

#[test]
fn what_has_no_answer_says_why() {
    for (expression, body, part) in [
        ("body.x == 1", "{}", "no such key: x"),
        ("body.a.b == 1", r#"{"a": "secret-text"}"#, "no matching overload"),
        ("body[2] == 1", "[1]", "no item with such an index"),
        ("body.s > 1", r#"{"s": "secret-text"}"#, "found no matching overload for '_>_' applied to '(string, int)'"),
        ("int(body.s) == 1", r#"{"s": "secret-text"}"#, "`int` has no result"),
        ("timestamp(body.s) == timestamp(body.s)", r#"{"s": "secret-text"}"#, "`timestamp` has no result"),
        ("1 / 0 == 1", "{}", "division by zero"),
        ("body.s", r#"{"s": "secret-text"}"#, "is neither true nor false but a string"),
        ("size(body)", "{}", "is neither true nor false but a int"),
        ("body.all(x, x > 1)", r#"["secret-text"]"#, "no matching overload"),
        ("true", "<html>", "expected value at line 1 column 1"),
        ("true", "", "EOF while parsing"),
        ("true", "{} {}", "trailing characters"),
        ("true", "{\"a\": 1e999}", "out of range"),
    ] {
        let why = decide(expression, body).unwrap_err();
        assert!(why.contains(part), "{expression}: {why}");
        assert!(!why.contains("secret-text"), "{expression}: {why}");
    }
}

#[test]
fn what_is_wrong_with_an_expression_is_said_when_it_is_read() {
    let long = "a".repeat(4097);
    let deep = format!("{}body{}", "(".repeat(500), ")".repeat(500));
    let chain = format!("body{} == 1", ".a".repeat(101));
    let sum = format!("{}1 == 1", "1+".repeat(1500));
    for (expression, part) in [
        ("body ==", "mismatched input '<EOF>' (column 8 of it)"),
        ("body.a = 1", "token recognition error"),
        ("body.a ==\n  1 &&& 2", "line 2"),
        ("status == 'ok'", "names `status`; the only variable is `body`"),
        ("body.a.all(x, x == 1) && x == 2", "names `x`"),
        ("body.lenght() == 1", "calls `lenght`, a function that is not there"),
        ("now() > timestamp(body.t)", "calls `now`"),
        ("Answer{a: 1} == body", "makes a `Answer`"),
        ("body.a.matches('(')", "no regular expression: `(`"),
        ("body.a.matches(body.b)", "not written as a text"),
        ("body.?a == 1", "unsupported syntax"),
        ("@meter == body", "is not a CEL expression"),
        ("@spend(body, true)", "is not a CEL expression"),
        (&long, "at most 4096"),
        (&deep, "is not a CEL expression"),
        (&chain, "nests deeper than 100"),
        (&sum, "nests deeper than 100"),
    ] {
        let why = Program::compile(expression).unwrap_err();
        assert!(why.contains(part), "{expression:.60}: {why}");
        assert!(why.len() < 500 && !why.contains('\n'), "{why}");
    }
}

/// What is as deep as may be has room, in a build of any kind.
#[test]
fn the_deepest_expressions_are_evaluated() {
    for (begin, middle, end, times) in [
        ("", "body", ".a", 98),
        ("", "body", "[0]", 98),
        ("", "1", "+1", 97),
        ("-", "body", "", 90),
        ("[", "body", "]", 90),
        ("{1: ", "body", "}", 90),
        ("size(", "body", ")", 90),
        ("false ? 1 : ", "body", "", 90),
        ("[1].map(a, ", "body", ")", 31),
        ("[1].all(a, ", "body == 1", ")", 31),
        ("", "[1]", ".map(a, a)", 95),
    ] {
        let expression = format!("{}{middle}{} == 1", begin.repeat(times), end.repeat(times));
        let result = decide(&expression, "1");
        let depth = result.as_ref().err().filter(|why| why.contains("nests deeper") || why.contains("not a CEL"));
        assert_eq!(depth, None, "{expression:.60}");
    }
}

/// Texts that bring parsers to their end.
#[test]
fn no_text_ends_the_process() {
    for unit in [
        "(",
        "[",
        "{",
        "!",
        "-",
        "a.",
        "1+",
        "a?",
        "a?b:",
        "'",
        "b'",
        "\\",
        "{1:",
        "[1].map(a,",
        "`a`.",
        "\u{0}",
        "日",
        "0x",
    ] {
        for times in [50, 4000 / unit.len()] {
            let text = unit.repeat(times);
            drop(decide(&text, "{}"));
            drop(decide(&format!("{text}1"), "{}"));
        }
    }
}

#[test]
fn a_body_has_so_many_values_and_is_so_deep() {
    let items = |count: usize| format!("[{}]", vec!["1"; count].join(","));
    check(&items(value::MAX_VALUES - 1), &[("size(body) == 199999", true)]);
    let why = value::parse(items(value::MAX_VALUES).as_bytes()).unwrap_err();
    assert!(why.contains("more than the 200000 values"), "{why}");
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(value::parse(nested(127).as_bytes()).is_ok());
    let why = value::parse(nested(128).as_bytes()).unwrap_err();
    assert!(why.contains("recursion limit"), "{why}");
    assert!(value::parse("{\"a\":".repeat(100_000).as_bytes()).is_err());
}

/// Bodies and expressions that would take hours and gigabytes.
#[test]
fn no_evaluation_takes_more_than_its_share() {
    let body = format!("[{}]", vec!["\"abcdefghij\""; 20_000].join(","));
    let body = value::parse(body.as_bytes()).unwrap();
    let doubled = |step: &str| format!("['x']{}.size() == 1", step.repeat(90));
    for expression in [
        "body.all(x, body.all(y, x == y))",
        "[1, 2, 3, 4, 5, 6, 7, 8, 9].all(x, !body.exists_one(y, body.exists(z, z == 'no')))",
        "body.map(x, [x, x, x, x].map(y, body + body)).size() == 1",
        "body.all(x, x.matches('a.*j') && body == body)",
        &doubled(".map(a, a + a)"),
        &doubled(".map(a, [a, a])"),
        &format!("{}true{}", "[1, 2, 3, 4].all(a, ".repeat(30), ")".repeat(30)),
    ] {
        let began = Instant::now();
        let why = of_value(expression, &*body).unwrap_err();
        assert!(why.starts_with("takes too much with this body"), "{expression:.60}: {why}");
        assert!(began.elapsed() < Duration::from_secs(20), "{expression:.60}: {:?}", began.elapsed());
    }
    // What is only long is done, and the body's own values can be kept as often as one likes.
    for expression in ["body.all(x, x.startsWith('abc'))", "body.map(x, [x, body]).size() == 20000", "!('zz' in body)"]
    {
        assert_eq!(of_value(expression, &*body), Ok(true), "{expression}");
    }
}

fn read(yaml: &str) -> (Option<JsonAssertions>, Vec<String>) {
    let doc = Document::new(Path::new("sla.yml"));
    let tree = node::parse(yaml).unwrap();
    let read = JsonAssertions::decode(&mut Cursor::root(&doc, &tree).map().unwrap());
    (read, doc.into_parts().0.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn one_expression_must_not_match_and_the_other_must() {
    let yaml = "{fail_if_body_json_matches_cel: body.error, fail_if_body_json_not_matches_cel: body.n > 2}";
    let (assertions, findings) = read(yaml);
    let assertions = assertions.unwrap_or_else(|| panic!("{findings:?}"));
    for (body, expected) in [
        (r#"{"error": false, "n": 3}"#, None),
        (r#"{"error": true, "n": 3}"#, Some("fail_if_body_json_matches_cel: the body matches: `body.error`")),
        (
            r#"{"error": false, "n": 2}"#,
            Some("fail_if_body_json_not_matches_cel: the body does not match: `body.n > 2`"),
        ),
        (r#"{"n": 3}"#, Some("fail_if_body_json_matches_cel: cannot be evaluated with this body: no such key: error")),
        ("plain", Some("the body is not JSON that can be judged: expected value")),
    ] {
        let result = assertions.check(&Bytes::from_static(body.as_bytes()), false).await;
        match (result, expected) {
            (Ok(()), None) => {}
            (Err(failure), Some(part)) => {
                assert_eq!(failure.reason, Reason::Body);
                assert!(failure.detail.contains(part), "{failure}");
            }
            (result, _) => panic!("{body}: {result:?}"),
        }
    }
}

#[test]
fn a_finding_has_its_place() {
    assert!(read("{}").0.is_some_and(|none| !none.is_some()));
    for (yaml, expected) in [
        (
            "fail_if_body_json_matches_cel: 'body.a ='",
            "sla.yml:1:32: fail_if_body_json_matches_cel: is not a CEL expression",
        ),
        ("fail_if_body_json_not_matches_cel: ''", "fail_if_body_json_not_matches_cel: "),
        ("fail_if_body_json_not_matches_cel: [a]", "fail_if_body_json_not_matches_cel: expected"),
    ] {
        let (assertions, findings) = read(yaml);
        assert!(assertions.is_none() && findings.iter().any(|f| f.contains(expected)), "{yaml}: {findings:?}");
    }
}

proptest::proptest! {
    /// Whatever a body is, an expression says yes, no, or why it says neither.
    #[test]
    fn no_body_ends_an_evaluation(expression in 0usize..EXPRESSIONS.len(), parts in proptest::collection::vec(0usize..PARTS.len(), 0..12)) {
        let body: String = parts.into_iter().map(|part| PARTS[part]).collect();
        if let Err(why) = decide(EXPRESSIONS[expression], &body) {
            assert!(!why.is_empty() && why.len() < 500, "{why}");
        }
    }
}

const EXPRESSIONS: &[&str] = &[
    "body.a == 1 || body[0].a in body.b",
    "body.all(x, x == 1 || x.a.exists(y, y > 'a'))",
    "body.map(x, [x, body]).filter(y, size(y) > 1) != body",
    "int(body.a) / int(body.b) % 2 == 1 && double(body[0]) < 1.5",
    "timestamp(body.a) < timestamp(body.b) || duration(body.a) > duration('1s')",
    "string(body) + string(body.a) == '' || bytes(body) == b'a' || body.a.matches('a+')",
];

/// What bodies are made of.
const PARTS: &[&str] = &[
    "{",
    "}",
    ":",
    ",",
    "[",
    "]",
    "\"a\"",
    "\"b\"",
    "{\"a\": ",
    "1",
    "-0.0",
    "1e308",
    "9223372036854775808",
    "true",
    "null",
    "\"2026-01-01T00:00:00Z\"",
    "\"9999999999999s\"",
    "\"\\ud800\"",
    "\u{feff}",
    "[[1]]",
    "{\"a\": [{\"a\": 0}], \"b\": {}}",
];
