//! What a found text must be, and which is kept as a variable.

use super::source::{Found, MAX_TEXT, Source, regex};
use super::template::{Template, Variables, check_name};
use crate::config::decode::{Cursor, MapCursor, collect};
use crate::probe::{Failure, Reason};

/// Checks and captures of one step, each.
const MAX_ITEMS: usize = 50;

/// One thing that must be so.
#[derive(Clone, Debug)]
pub(super) struct Check {
    pub(super) source: Source,
    must: Must,
}

/// What must be so; all of what is given.
#[derive(Clone, Debug, Default)]
struct Must {
    absent: bool,
    count: Option<i64>,
    equals: Option<Template>,
    contains: Option<Template>,
    matches: Option<regex::bytes::Regex>,
    not_matches: Option<regex::bytes::Regex>,
    numbers: Vec<(Relation, Template)>,
}

/// How two numbers are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Relation {
    const WORDS: [(&'static str, Self); 4] =
        [("above", Self::Above), ("at_least", Self::AtLeast), ("below", Self::Below), ("at_most", Self::AtMost)];

    fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Above => a > b,
            Self::AtLeast => a >= b,
            Self::Below => a < b,
            Self::AtMost => a <= b,
        }
    }
}

/// A text that is kept.
#[derive(Clone, Debug)]
pub(super) struct Capture {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) secret: bool,
}

/// Reads a list of checks.
pub(super) fn checks(cursor: &Cursor<'_>, http: bool) -> Option<Vec<Check>> {
    let list = cursor.list()?;
    if list.len() > MAX_ITEMS {
        return cursor.error(format_args!("{} checks; at most {MAX_ITEMS} are accepted", list.len()));
    }
    collect(&list, |c| {
        let mut map = c.map()?;
        let source = Source::decode(&mut map, http);
        let must = must(&mut map);
        map.finish();
        Some(Check { source: source?, must: must? })
    })
}

fn must(map: &mut MapCursor<'_>) -> Option<Must> {
    let mut good = true;
    let mut template = |key: &'static str, map: &mut MapCursor<'_>| {
        let cursor = map.get(key)?;
        let found = self::template(&cursor);
        good &= found.is_some();
        found
    };
    let equals = template("equals", map);
    let contains = template("contains", map);
    let mut numbers = Vec::new();
    for (key, relation) in Relation::WORDS {
        numbers.extend(template(key, map).map(|found| (relation, found)));
    }
    let matches = map.get("matches").map_or(Some(None), |c| regex(&c).map(Some));
    let not_matches = map.get("not_matches").map_or(Some(None), |c| regex(&c).map(Some));
    let count = map.get("count").map_or(Some(None), |c| c.integer(0..=1_000_000).map(Some));
    let absent = map.get("absent").map_or(Some(false), |c| c.bool());
    let must = Must {
        absent: absent?,
        count: count?,
        equals,
        contains,
        matches: matches?,
        not_matches: not_matches?,
        numbers,
    };
    let others = must.count.is_some()
        || must.equals.is_some()
        || must.contains.is_some()
        || must.matches.is_some()
        || must.not_matches.is_some()
        || !must.numbers.is_empty();
    if must.absent && others {
        map.error("`absent: true` leaves nothing to compare; leave the others out");
        return None;
    }
    good.then_some(must)
}

/// A text with variables.
pub(super) fn template(cursor: &Cursor<'_>) -> Option<Template> {
    match Template::parse(&cursor.string()?) {
        Ok(template) => Some(template),
        Err(why) => cursor.error(why),
    }
}

/// Reads a mapping of captures.
pub(super) fn captures(cursor: &Cursor<'_>, http: bool) -> Option<Vec<Capture>> {
    let entries = cursor.named()?;
    if entries.len() > MAX_ITEMS {
        return cursor.error(format_args!("{} captures; at most {MAX_ITEMS} are accepted", entries.len()));
    }
    let wanted = entries.len();
    let found: Vec<Capture> = entries
        .into_iter()
        .filter_map(|(name, mark, cursor)| {
            let mut map = cursor.map()?;
            let source = Source::decode(&mut map, http);
            let secret = map.get("secret").map_or(Some(None), |c| c.bool().map(Some));
            map.finish();
            if let Err(why) = check_name(name) {
                cursor.error_at(mark, why);
                return None;
            }
            let source = source?;
            // A cookie is somebody's session unless somebody says otherwise.
            let secret = secret?.unwrap_or(matches!(source, Source::Cookie(_)));
            Some(Capture { name: name.to_owned(), source, secret })
        })
        .collect();
    (found.len() == wanted).then_some(found)
}

impl Check {
    /// Variables it compares with.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let Must { equals, contains, numbers, .. } = &self.must;
        equals.iter().chain(contains).chain(numbers.iter().map(|(_, template)| template)).flat_map(Template::names)
    }

    /// Judges what was found.
    ///
    /// # Errors
    /// Reasons `body`, `header`, `status`, `redirect` or `query`, by where it was looked for.
    pub(super) fn judge(&self, found: &Result<Found, String>, variables: &Variables) -> Result<(), Failure> {
        let fail = |why: &str| Err(self.source.failure(&variables.excerpt(why)));
        let what = self.source.words();
        let found = match found {
            Ok(found) => found,
            Err(why) => return fail(why),
        };
        let Must { absent, count, equals, contains, matches, not_matches, numbers } = &self.must;
        if *absent {
            return if found.count == 0 { Ok(()) } else { fail(&format!("{what} is there, and must not be")) };
        }
        if let Some(count) = count {
            if i64::try_from(found.count).ok() != Some(*count) {
                return fail(&format!("{what} was found {} times; expected {count}", found.count));
            }
            if *count == 0 {
                return Ok(());
            }
        } else if found.count == 0 {
            return if not_matches.is_some()
                && equals.is_none()
                && contains.is_none()
                && matches.is_none()
                && numbers.is_empty()
            {
                Ok(())
            } else {
                fail(&format!("{what} was not found"))
            };
        }
        let text =
            |template: &Template| template.render(variables).map_err(|why| self.source.failure(&why.to_string()));
        let first = found.texts.first().map(String::as_str).unwrap_or_default();
        if let Some(template) = equals {
            let wanted = text(template)?;
            if !found.texts.contains(&wanted) {
                return fail(&format!("{what} is `{first}`; expected `{wanted}`"));
            }
        }
        if let Some(template) = contains {
            let wanted = text(template)?;
            if !found.texts.iter().any(|text| text.contains(&wanted)) {
                return fail(&format!("{what} does not contain `{wanted}`: `{first}`"));
            }
        }
        if let Some(regex) = matches
            && !found.texts.iter().any(|text| regex.is_match(text.as_bytes()))
        {
            return fail(&format!("{what} does not match `{}`: `{first}`", regex.as_str()));
        }
        if let Some(regex) = not_matches
            && let Some(text) = found.texts.iter().find(|text| regex.is_match(text.as_bytes()))
        {
            return fail(&format!("{what} matches `{}`: `{text}`", regex.as_str()));
        }
        for (relation, template) in numbers {
            let wanted = text(template)?;
            let word = Relation::WORDS.iter().find(|(_, known)| known == relation).map_or("", |(word, _)| word);
            let (Some(a), Some(b)) = (number(first), number(&wanted)) else {
                return fail(&format!("{what} is `{first}`; expected a number {word} `{wanted}`"));
            };
            if !relation.holds(a, b) {
                return fail(&format!("{what} is {first}; expected {word} {wanted}"));
            }
        }
        Ok(())
    }
}

impl Capture {
    /// The text to keep.
    ///
    /// # Errors
    /// As a check's.
    pub(super) fn take(&self, found: &Result<Found, String>, variables: &Variables) -> Result<String, Failure> {
        let fail = |why: &str| {
            let why = format!("cannot capture `{}`: {why}", self.name);
            Err(self.source.failure(&variables.excerpt(&why)))
        };
        match found {
            Err(why) => fail(why),
            Ok(found) if found.cut => {
                let why = format!("{} is longer than {MAX_TEXT} bytes", self.source.words());
                Err(Failure::new(Reason::TooLarge, format_args!("cannot capture `{}`: {why}", self.name)))
            }
            Ok(found) => match found.texts.first() {
                Some(text) => Ok(text.clone()),
                None => fail(&format!("{} was not found", self.source.words())),
            },
        }
    }
}

impl Source {
    /// A failure of what was looked for here.
    fn failure(&self, why: &str) -> Failure {
        let reason = match self {
            Self::Status => Reason::Status,
            Self::Url => Reason::Redirect,
            Self::Header(_) | Self::Cookie(_) => Reason::Header,
            Self::Body(_) | Self::Json(_) | Self::Css { .. } => Reason::Body,
            Self::Value => Reason::Query,
        };
        Failure::new(reason, why)
    }
}

/// A number as people write it, spaces around it aside.
fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing;

    fn read(yaml: &str) -> Check {
        let (checks, findings) = testing::read(&format!("{{checks: [{yaml}]}}"), |mut map: MapCursor<'_>| {
            let found = map.require("checks").and_then(|c| checks(&c, true));
            map.finish();
            found
        });
        assert_eq!(findings, Vec::<String>::new(), "{yaml}");
        checks.unwrap().remove(0)
    }

    fn variables() -> Variables {
        let mut variables = Variables::default();
        variables.set("before", "41".to_owned(), false);
        variables.set("password", "hunter2".to_owned(), true);
        variables
    }

    /// Whether texts found pass.
    fn passes(must: &str, texts: &[&str]) -> Result<(), String> {
        let mut found = Found::default();
        texts.iter().for_each(|text| found.add(text));
        let check = read(&format!("{{css: p, {must}}}"));
        check.judge(&Ok(found), &variables()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn both_sides_of_each_comparison() {
        for (must, good, bad) in [
            ("", &["x"][..], &[][..]),
            ("absent: true", &[], &["x"]),
            ("count: 2", &["a", "b"], &["a"]),
            ("count: 0", &[], &["a"]),
            ("equals: b", &["a", "b"], &["a", "bb"]),
            ("contains: \"x{{before}}\"", &["ax41b"], &["ax40b"]),
            ("matches: \"^[0-9]+$\"", &["a", "7"], &["a"]),
            ("not_matches: error", &["a"], &["a", "an error"]),
            ("above: \"{{before}}\"", &["42"], &["41"]),
            ("at_least: \"{{before}}\"", &["41"], &["40.9"]),
            ("below: 42", &["41"], &["42"]),
            ("at_most: 42", &[" 42 "], &["42.1"]),
            ("above: 1", &["2"], &["many"]),
            ("above: 1", &["2"], &["nan"]),
            ("at_least: 1, at_most: 2", &["2"], &["3"]),
        ] {
            assert_eq!(passes(must, good), Ok(()), "{must} {good:?}");
            assert!(passes(must, bad).is_err(), "{must} {bad:?}");
        }
        // Nothing there matches nothing.
        assert_eq!(passes("not_matches: error", &[]), Ok(()));
        assert!(passes("not_matches: error, contains: x", &[]).is_err());
    }

    #[test]
    fn a_failure_says_what_was_found_and_no_secret() {
        let why = passes("above: \"{{before}}\"", &["41"]).unwrap_err();
        assert_eq!(why, "body: `p` in the HTML body is 41; expected above 41");
        let why = passes("equals: \"{{password}}\"", &["my hunter2"]).unwrap_err();
        assert_eq!(why, "body: `p` in the HTML body is `my <secret>`; expected `<secret>`");
    }

    #[test]
    fn a_capture_takes_the_first_and_refuses_what_is_cut_or_missing() {
        let capture = Capture { name: "id".to_owned(), source: Source::Body(None), secret: false };
        let mut found = Found::one("a");
        found.add("b");
        assert_eq!(capture.take(&Ok(found), &variables()).unwrap(), "a");
        let missing = capture.take(&Ok(Found::default()), &variables()).unwrap_err();
        assert_eq!(missing.to_string(), "body: cannot capture `id`: the body was not found");
        let long = capture.take(&Ok(Found::one(&"x".repeat(MAX_TEXT + 1))), &variables()).unwrap_err();
        assert_eq!(long.reason, Reason::TooLarge);
    }
}
