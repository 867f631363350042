//! What Grafana makes of a query before Prometheus sees it: variables and its own macros replaced.
//!
//! After @grafana/prometheus 13.2 and the server's pkg/promlib. Not for links, which Grafana replaces in the browser.

use std::collections::BTreeMap;

/// The choice of one variable.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) values: Vec<String>,
    /// Several can be chosen, or all.
    pub(crate) multi: bool,
    /// "All" is chosen and has this value, which is used as it is.
    pub(crate) all: Option<String>,
}

/// Choices by variable.
pub(crate) type Choices = BTreeMap<String, Choice>;

/// The time range and what follows from it, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) step: i64,
    /// The query's own least step, or the data source's scrape interval.
    pub(crate) scrape: i64,
}

impl Window {
    fn macro_value(self, name: &str) -> Option<String> {
        let range = self.to - self.from;
        Some(match name {
            "__from" => (self.from * 1000).to_string(),
            "__to" => (self.to * 1000).to_string(),
            "__interval" => format!("{}s", self.step),
            "__interval_ms" => (self.step * 1000).to_string(),
            "__range" => format!("{range}s"),
            "__range_s" => range.to_string(),
            "__range_ms" => (range * 1000).to_string(),
            "__rate_interval" => format!("{}s", (self.step + self.scrape).max(4 * self.scrape)),
            _ => return None,
        })
    }
}

/// Signs that mean something in a regular expression, escaped so that they still do not after PromQL's own quoting.
fn regex_escaped(value: &str) -> String {
    let mut escaped = String::new();
    for sign in value.chars() {
        if "\\^$*+?.()|[]{}/".contains(sign) {
            escaped.push_str("\\\\");
        }
        escaped.push(sign);
    }
    escaped
}

impl Choice {
    fn formatted(&self, format: &str) -> Result<String, String> {
        if let Some(all) = &self.all {
            return Ok(all.clone());
        }
        let one = || self.values.first().cloned().ok_or_else(|| "nothing is chosen".to_owned());
        let all =
            |values: Vec<String>| if values.len() == 1 { values.concat() } else { format!("({})", values.join("|")) };
        match format {
            "raw" => one(),
            "" if !self.multi => Ok(one()?.replace('\\', "\\\\").replace('"', "\\\"")),
            "" | "regex" => Ok(all(self.values.iter().map(|value| regex_escaped(value)).collect())),
            "pipe" => Ok(self.values.join("|")),
            "csv" => Ok(self.values.join(",")),
            other => Err(format!("the format {other:?} is not one for queries")),
        }
    }
}

/// `text` with all `$name`, `${name}` and `${name:format}` replaced. `$1` of `label_replace` stays.
pub(crate) fn interpolate(text: &str, choices: &Choices, window: Window) -> Result<String, String> {
    if text.contains("[[") {
        return Err("[[name]] is the old way to write a variable".to_owned());
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (name, format) = if let Some(braced) = rest.strip_prefix('{') {
            let (inside, after) = braced.split_once('}').ok_or("`${` without `}`")?;
            rest = after;
            inside.split_once(':').unwrap_or((inside, ""))
        } else {
            let end = rest.find(|sign: char| !sign.is_alphanumeric() && sign != '_').unwrap_or(rest.len());
            let name = &rest[..end];
            rest = &rest[end..];
            (name, "")
        };
        if name.is_empty() || name.bytes().all(|sign| sign.is_ascii_digit()) {
            out.push('$');
            out.push_str(name);
        } else if let Some(value) = window.macro_value(name) {
            out.push_str(&value);
        } else {
            let choice = choices.get(name).ok_or_else(|| format!("there is no variable {name}"))?;
            out.push_str(&choice.formatted(format).map_err(|why| format!("${name}: {why}"))?);
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[test]
fn variables_are_replaced_as_grafana_does() {
    let choice = |values: &[&str], multi, all: Option<&str>| Choice {
        values: values.iter().map(|&value| value.to_owned()).collect(),
        multi,
        all: all.map(str::to_owned),
    };
    let choices: Choices = [
        ("one", choice(&["a.b"], false, None)),
        ("two", choice(&["a.b", "c"], true, None)),
        ("single", choice(&["a.b"], true, None)),
        ("all", choice(&["a", "b"], true, Some(".+"))),
        ("none", choice(&[], false, None)),
    ]
    .into_iter()
    .map(|(name, choice)| (name.to_owned(), choice))
    .collect();
    let window = Window { from: 1000, to: 4600, step: 60, scrape: 15 };
    for (text, expected) in [
        ("up{x=\"$one\"}", Ok("up{x=\"a.b\"}")),
        ("up{x=~\"$two\"}", Ok("up{x=~\"(a\\\\.b|c)\"}")),
        ("up{x=~\"${single}\"}", Ok("up{x=~\"a\\\\.b\"}")),
        ("up{x=~\"${one:regex}\"}", Ok("up{x=~\"a\\\\.b\"}")),
        ("up{x=~\"$all\"}", Ok("up{x=~\".+\"}")),
        ("${two:csv} ${two:pipe} ${one:raw}", Ok("a.b,c a.b|c a.b")),
        ("rate(x[$__rate_interval]) $__interval $__interval_ms", Ok("rate(x[75s]) 60s 60000")),
        ("x[$__range] $__range_s ${__from} $__to", Ok("x[3600s] 3600 1000000 4600000")),
        ("label_replace(x, \"a\", \"$1\", \"b\", \"(.*)\")", Ok("label_replace(x, \"a\", \"$1\", \"b\", \"(.*)\")")),
        ("$other", Err("there is no variable other")),
        ("$none", Err("$none: nothing is chosen")),
        ("[[one]]", Err("[[name]] is the old way to write a variable")),
        ("${one:html}", Err("$one: the format \"html\" is not one for queries")),
    ] {
        let found = interpolate(text, &choices, window);
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
    }
}
