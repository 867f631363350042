//! What several files say together: one family may come from many files, as long as they agree.
//!
//! Files are taken by name; one that contradicts an earlier one, or has a family that is ours, is refused as a
//! whole with both places, because half a file would look like a whole one. Pure: no file is read here.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::files::MAX_SERIES;
use super::parse::Family;
use crate::exposition::Kind;

/// A family of all files.
#[derive(Debug)]
pub(super) struct Merged<'a> {
    pub(super) kind: Kind,
    pub(super) help: Option<&'a str>,
    /// What each file says of it; never empty.
    pub(super) members: Vec<(&'a Path, &'a Family)>,
    /// The series of the first `indexed` members: most families come from one file and need no index.
    series: HashMap<u64, Place<'a>>,
    indexed: usize,
}

/// A line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place<'a> {
    path: &'a Path,
    line: usize,
}

/// The families by name, and for each file why it is refused.
pub(super) type Outcome<'a> = (BTreeMap<&'a str, Merged<'a>>, Vec<Option<String>>);

/// Merges the files; `taken` says why a family cannot be shown, if so.
pub(super) fn merge<'a>(
    files: impl Iterator<Item = (&'a Path, &'a [Family])>,
    taken: impl Fn(&Family) -> Option<String>,
) -> Outcome<'a> {
    let mut families = BTreeMap::new();
    let mut errors = Vec::new();
    let mut series = 0;
    for (path, of_file) in files {
        let error = of_file.iter().find_map(|family| {
            let what = taken(family).map(|what| (family.line, what));
            let (line, what) = what.or_else(|| contradiction(&mut families, family))?;
            Some(format!("{}:{line}: {what}", path.display()))
        });
        let more: usize = of_file.iter().map(|family| family.series.len()).sum();
        let error = error.or_else(|| {
            let too_many = series + more > MAX_SERIES;
            too_many
                .then(|| format!("{}: with the files before it by name more than {MAX_SERIES} series", path.display()))
        });
        if error.is_none() {
            series += more;
            of_file.iter().for_each(|family| add(&mut families, path, family));
        }
        errors.push(error);
    }
    (families, errors)
}

/// Why a family does not go together with those of earlier files, and its line.
fn contradiction(families: &mut BTreeMap<&str, Merged<'_>>, family: &Family) -> Option<(usize, String)> {
    let name = family.name.as_str();
    if let Some(other) = part_clash(families, family) {
        return Some((family.line, other));
    }
    let known = families.get_mut(name)?;
    if known.kind != family.kind {
        let (kind, other) = (kind_name(family.kind), kind_name(known.kind));
        return Some((family.line, format!("`{name}` is {kind} here and {other} in {}", known.place())));
    }
    if family.help.as_deref().is_some_and(|help| known.help.is_some_and(|known| known != help)) {
        return Some((family.line, format!("`{name}` has another HELP in {}", known.place())));
    }
    known.index();
    family.series.iter().find_map(|(series, line)| {
        let place = known.series.get(series)?;
        Some((*line, format!("`{name}` has the same series in {place}")))
    })
}

/// A histogram `x` has samples `x_sum`: no other family can have that name.
fn part_clash(families: &BTreeMap<&str, Merged<'_>>, family: &Family) -> Option<String> {
    let name = family.name.as_str();
    let whole = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| {
        let base = name.strip_suffix(suffix)?;
        let known = families.get(base).filter(|known| parts(known.kind).contains(suffix))?;
        Some(format!("`{name}` is a part of the {} `{base}` in {}", kind_name(known.kind), known.place()))
    });
    let part = parts(family.kind).iter().find_map(|suffix| {
        let part = format!("{name}{suffix}");
        let known = families.get(part.as_str())?;
        Some(format!("`{part}`, a part of this {}, is a family in {}", kind_name(family.kind), known.place()))
    });
    whole.or(part)
}

/// Suffixes of the samples of a family of this kind.
pub(super) fn parts(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Histogram => &["_bucket", "_sum", "_count"],
        Kind::Summary => &["_sum", "_count"],
        Kind::Gauge | Kind::Counter | Kind::Untyped => &[],
    }
}

fn add<'a>(families: &mut BTreeMap<&'a str, Merged<'a>>, path: &'a Path, family: &'a Family) {
    let merged = families.entry(&family.name).or_insert_with(|| Merged {
        kind: family.kind,
        help: None,
        members: Vec::new(),
        series: HashMap::new(),
        indexed: 0,
    });
    merged.help = merged.help.or(family.help.as_deref());
    merged.members.push((path, family));
}

impl<'a> Merged<'a> {
    fn index(&mut self) {
        for (path, family) in &self.members[self.indexed..] {
            self.series.extend(family.series.iter().map(|(series, line)| (*series, Place { path, line: *line })));
        }
        self.indexed = self.members.len();
    }

    /// Where it was first.
    fn place(&self) -> Place<'a> {
        let (path, family) = self.members[0];
        Place { path, line: family.line }
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Gauge => "gauge",
        Kind::Counter => "counter",
        Kind::Histogram => "histogram",
        Kind::Summary => "summary",
        Kind::Untyped => "untyped",
    }
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        write!(f, "{}:{}", name.display(), self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    /// Files `a.prom`, `b.prom`, …; families as they end up, and each file's error.
    fn merged(texts: &[&str]) -> (Vec<String>, Vec<String>) {
        let names = ["a.prom", "b.prom", "c.prom"];
        let parsed: Vec<Vec<Family>> = texts.iter().map(|text| parse(text.as_bytes(), 100).unwrap()).collect();
        let files = names.iter().map(Path::new).zip(parsed.iter().map(Vec::as_slice));
        let taken = |family: &Family| (family.name == "taken").then(|| "`taken` is taken".to_owned());
        let (families, errors) = merge(files, taken);
        let families = families.iter().map(|(name, merged)| {
            let samples: Vec<u8> = merged.members.iter().flat_map(|(_, family)| family.samples.clone()).collect();
            let samples = String::from_utf8(samples).unwrap();
            format!("{name}: {}", samples.trim_end().replace('\n', "|"))
        });
        (families.collect(), errors.into_iter().flatten().collect())
    }

    #[track_caller]
    fn check(texts: &[&str], families: &[&str]) {
        assert_eq!(merged(texts), (families.iter().map(ToString::to_string).collect(), vec![]));
    }

    #[track_caller]
    fn refused(texts: &[&str], error: &str) {
        assert_eq!(merged(texts).1, [error]);
    }

    #[test]
    fn files_that_agree_make_one_family() {
        check(&["x{a=\"1\"} 1\n", "x{a=\"2\"} 2\ny 3\n"], &["x: x{a=\"1\"} 1|x{a=\"2\"} 2", "y: y 3"]);
        let typed = |label: &str| format!("# HELP x h\n# TYPE x gauge\nx{{a=\"{label}\"}} 1\n");
        check(&[&typed("1"), &typed("2")], &["x: x{a=\"1\"} 1|x{a=\"2\"} 1"]);
        // HELP in one of them is enough.
        check(&["# HELP x h\nx{a=\"1\"} 1\n", "x{a=\"2\"} 1\n"], &["x: x{a=\"1\"} 1|x{a=\"2\"} 1"]);
    }

    #[test]
    fn a_file_that_contradicts_an_earlier_one_is_refused_with_both_places() {
        let gauge = "# TYPE x gauge\nx 1\n";
        refused(
            &[gauge, "y 1\n# TYPE x counter\nx{a=\"1\"} 1\n"],
            "b.prom:2: `x` is counter here and gauge in a.prom:1",
        );
        refused(&[gauge, "x{a=\"1\"} 1\n"], "b.prom:1: `x` is untyped here and gauge in a.prom:1");
        refused(&["# HELP x h\nx 1\n", "# HELP x i\nx{a=\"1\"} 1\n"], "b.prom:1: `x` has another HELP in a.prom:1");
        refused(&["y 1\nx 1\n", "z 1\n\nx 2\n"], "b.prom:3: `x` has the same series in a.prom:2");
    }

    #[test]
    fn nothing_of_a_refused_file_is_shown() {
        let (families, _) = merged(&["x 1\n", "x 2\nonly_here 1\n", "z 1\n"]);
        assert_eq!(families, ["x: x 1", "z: z 1"]);
    }

    #[test]
    fn a_refused_file_contradicts_nobody() {
        let (families, errors) = merged(&["taken 1\nx 1\n", "x 2\n"]);
        assert_eq!((families, errors), (vec!["x: x 2".to_owned()], vec!["a.prom:1: `taken` is taken".to_owned()]));
    }

    #[test]
    fn parts_of_histograms_are_not_families() {
        let histogram = "# TYPE x histogram\nx_bucket{le=\"+Inf\"} 1\nx_sum 1\nx_count 1\n";
        refused(&[histogram, "x_sum 1\n"], "b.prom:1: `x_sum` is a part of the histogram `x` in a.prom:1");
        refused(&["x_count 1\n", histogram], "b.prom:1: `x_count`, a part of this histogram, is a family in a.prom:1");
        let summary = "# TYPE x summary\nx_sum 1\nx_count 1\n";
        check(&[summary, "x_bucket 1\n"], &["x: x_sum 1|x_count 1", "x_bucket: x_bucket 1"]);
    }

    #[test]
    fn all_series_together_are_bounded() {
        let lines = |from: usize, to: usize| (from..to).map(|i| format!("x{{a=\"{i}\"}} 1\n")).collect::<String>();
        let parsed = [lines(0, MAX_SERIES), lines(MAX_SERIES, MAX_SERIES + 1)]
            .map(|text| parse(text.as_bytes(), MAX_SERIES).unwrap());
        let files = ["a", "b"].iter().map(Path::new).zip(parsed.iter().map(Vec::as_slice));
        let (_, errors) = merge(files, |_| None);
        assert_eq!(errors, [None, Some("b: with the files before it by name more than 100000 series".to_owned())]);
    }
}
