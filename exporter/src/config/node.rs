//! YAML as a tree in which every value knows its line and column.
//!
//! Two readers must agree that a text is YAML: `saphyr-parser`, which says where each value stands, and `serde_yaml`,
//! which is what other tools read it with. Keys given twice, alias bombs and deep nesting are refused here. Scalars stay
//! text: what `1` or `yes` means depends on what the key expects, so [`decode`](super::decode) decides it. Not for: any
//! rule about a key.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

/// Values in one file, aliases expanded; beyond it a file is refused.
const MAX_NODES: usize = 1_000_000;
/// Keys given twice that are listed for one file.
const MAX_DUPLICATES: usize = 1000;
/// Nesting in one file.
const MAX_DEPTH: usize = 64;

/// A place in a file; both count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Mark {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// A value and where it begins.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where the value begins.
    pub mark: Mark,
    /// The value.
    pub value: Value,
}

/// A YAML value.
#[derive(Clone, Debug)]
pub enum Value {
    /// Anything that is neither list nor mapping.
    Scalar {
        /// Its text, quotes and escapes resolved.
        text: String,
        /// Written without quotes: may mean a number, a boolean or null.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the file's order; keys are unique.
    Map(Vec<Entry>),
}

/// One `key: value` of a mapping.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// Where the key begins.
    pub key_mark: Mark,
    /// The value.
    pub node: Node,
}

/// Why a file is not a YAML tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where.
    pub mark: Mark,
    /// What, for people.
    pub message: String,
}

impl Node {
    /// An absent value at the file's beginning.
    #[must_use]
    pub fn null() -> Self {
        Self { mark: Mark { line: 1, column: 1 }, value: Value::Scalar { text: String::new(), plain: true } }
    }

    /// `null`, `~` or nothing at all.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// Feeds the content, not the positions, to a hasher: equal hashes, equal settings.
    pub fn hash_content(&self, hasher: &mut impl std::hash::Hasher) {
        use std::hash::Hash as _;
        match &self.value {
            Value::Scalar { text, plain } => (0u8, text, plain).hash(hasher),
            Value::List(items) => {
                (1u8, items.len()).hash(hasher);
                items.iter().for_each(|item| item.hash_content(hasher));
            }
            Value::Map(entries) => {
                (2u8, entries.len()).hash(hasher);
                for entry in entries {
                    entry.key.hash(hasher);
                    entry.node.hash_content(hasher);
                }
            }
        }
    }
}

/// Reads one YAML document; an empty one is null.
///
/// # Errors
/// With the position of the first thing that is not YAML, not a single document, a key given twice, or over a limit.
pub fn parse(text: &str) -> Result<Node, SyntaxError> {
    let (node, duplicates) = parse_all(text)?;
    duplicates.into_iter().next().map_or(Ok(node), Err)
}

/// As [`parse`], but keys that are given twice are listed beside the tree, which holds the first of them:
/// the file's other faults can then be found too.
///
/// # Errors
/// With the position of the first thing that is not YAML, not a single document, or over a limit.
pub fn parse_all(text: &str) -> Result<(Node, Vec<SyntaxError>), SyntaxError> {
    // Editors on some systems put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // The tree first: its limits keep the second reader from being handed a bomb.
    let mut builder = Builder::default();
    builder.read(text)?;
    // What both readers refuse is refused; on what only one of them takes, the stricter one is right.
    if builder.duplicates.is_empty()
        && let Err(error) = serde_yaml::from_str::<serde::de::IgnoredAny>(text)
    {
        return Err(syntax_error(&error));
    }
    Ok((builder.root.unwrap_or_else(Node::null), builder.duplicates))
}

fn syntax_error(error: &serde_yaml::Error) -> SyntaxError {
    let mark = error.location().map_or(Mark { line: 1, column: 1 }, |l| Mark { line: l.line(), column: l.column() });
    let message = error.to_string();
    // The place is said once, in front of the message.
    let message = match message.find(" at line ") {
        Some(end) => message[..end].to_owned(),
        None => message,
    };
    SyntaxError { mark, message }
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    documents: usize,
    root: Option<Node>,
    duplicates: Vec<SyntaxError>,
}

/// A list or mapping whose end has not been seen.
struct Open {
    mark: Mark,
    anchor: usize,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Node>),
    Map(OpenMap),
}

/// A mapping being read.
#[derive(Default)]
struct OpenMap {
    entries: Vec<Entry>,
    key: Option<Key>,
    /// Where each key was first given; filled once there are enough keys to be worth it.
    seen: HashMap<String, Mark>,
    /// What `<<` brings in, added at the mapping's end: an explicit key wins wherever it stands.
    merges: Vec<(Node, Mark)>,
}

struct Key {
    text: String,
    mark: Mark,
    plain: bool,
}

impl Builder {
    fn read(&mut self, text: &str) -> Result<(), SyntaxError> {
        for event in Parser::new_from_str(text) {
            let (event, span) =
                event.map_err(|e| SyntaxError { mark: mark_at(e.marker()), message: e.info().to_owned() })?;
            self.event(event, span)?;
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), SyntaxError> {
        let mark = mark_at(&span.start);
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return refuse(mark, "a second document begins here (`---`); one file holds one document");
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                check_tag(tag.as_deref(), mark)?;
                let value = Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                self.finish(Node { mark, value }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                check_tag(tag.as_deref(), mark)?;
                self.begin(mark, anchor, OpenKind::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                check_tag(tag.as_deref(), mark)?;
                self.begin(mark, anchor, OpenKind::Map(OpenMap::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => {
                    let value = match open.kind {
                        OpenKind::List(items) => Value::List(items),
                        OpenKind::Map(map) => Value::Map(map.finish()?),
                    };
                    self.finish(Node { mark: open.mark, value }, open.anchor)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(node) => {
                    self.nodes = self.nodes.saturating_add(count(node));
                    self.check_size(mark)?;
                    let copy = Node { mark, ..node.clone() };
                    self.finish(copy, 0)
                }
                None => refuse(mark, "alias to an anchor that is not complete"),
            },
            _ => Ok(()),
        }
    }

    fn begin(&mut self, mark: Mark, anchor: usize, kind: OpenKind) -> Result<(), SyntaxError> {
        if self.open.len() >= MAX_DEPTH {
            return refuse(mark, format_args!("nested deeper than {MAX_DEPTH} levels"));
        }
        self.open.push(Open { mark, anchor, kind });
        Ok(())
    }

    fn check_size(&self, mark: Mark) -> Result<(), SyntaxError> {
        if self.nodes > MAX_NODES {
            return refuse(mark, format_args!("more than {MAX_NODES} values in one file"));
        }
        Ok(())
    }

    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), SyntaxError> {
        self.nodes += 1;
        self.check_size(node.mark)?;
        if anchor > 0 {
            // The copy counts too: anchors inside anchors would otherwise multiply a file by its depth.
            self.nodes = self.nodes.saturating_add(count(&node));
            self.check_size(node.mark)?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(OpenKind::List(items)) => items.push(node),
            Some(OpenKind::Map(map)) => match map.key.take() {
                None => match node.value {
                    Value::Scalar { text, plain } => map.key = Some(Key { text, mark: node.mark, plain }),
                    _ => return refuse(node.mark, "a key is a text, not a list or a mapping"),
                },
                Some(key) if key.plain && key.text == "<<" => map.merges.push((node, key.mark)),
                Some(key) => match map.first_place_of(&key) {
                    None => map.entries.push(Entry { key: key.text, key_mark: key.mark, node }),
                    Some(_) if self.duplicates.len() >= MAX_DUPLICATES => {}
                    Some(first) => self.duplicates.push(SyntaxError {
                        mark: key.mark,
                        message: format!(
                            "duplicate key `{}`, given first on line {}",
                            super::decode::shorten(&key.text),
                            first.line
                        ),
                    }),
                },
            },
        }
        Ok(())
    }
}

impl OpenMap {
    /// Up to this many keys are compared one by one.
    const FEW: usize = 16;

    /// Where `key` was given before, if it was.
    fn first_place_of(&mut self, key: &Key) -> Option<Mark> {
        if self.entries.len() < Self::FEW {
            return self.entries.iter().find(|entry| entry.key == key.text).map(|entry| entry.key_mark);
        }
        if self.seen.is_empty() {
            self.seen = self.entries.iter().map(|entry| (entry.key.clone(), entry.key_mark)).collect();
        }
        match self.seen.entry(key.text.clone()) {
            std::collections::hash_map::Entry::Occupied(first) => Some(*first.get()),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(key.mark);
                None
            }
        }
    }

    /// The entries, with those that `<<` adds behind them.
    fn finish(mut self) -> Result<Vec<Entry>, SyntaxError> {
        if !self.merges.is_empty() {
            let mut known = self.entries.iter().map(|entry| entry.key.clone()).collect();
            for (node, mark) in self.merges {
                merge(&mut self.entries, &mut known, node, mark)?;
            }
        }
        Ok(self.entries)
    }
}

/// YAML's merge key: keys that are already there win.
fn merge(entries: &mut Vec<Entry>, known: &mut HashSet<String>, node: Node, at: Mark) -> Result<(), SyntaxError> {
    match node.value {
        Value::Map(from) => {
            entries.extend(from.into_iter().filter(|entry| known.insert(entry.key.clone())));
            Ok(())
        }
        Value::List(items) => items.into_iter().try_for_each(|item| merge(entries, known, item, at)),
        Value::Scalar { .. } => refuse(at, "`<<` merges a mapping or a list of mappings"),
    }
}

/// `!!str` and its like say what YAML knows anyway; any other tag asks for something that is not done.
fn check_tag(tag: Option<&Tag>, mark: Mark) -> Result<(), SyntaxError> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() => {
            refuse(mark, format_args!("tag `{}` is not supported", super::decode::shorten(&tag.to_string())))
        }
        _ => Ok(()),
    }
}

fn refuse<T>(mark: Mark, message: impl std::fmt::Display) -> Result<T, SyntaxError> {
    Err(SyntaxError { mark, message: message.to_string() })
}

/// What a copy of `node` costs, in values: a long text, copied often, is a bomb too.
fn count(node: &Node) -> usize {
    let weight = |text: &str| text.len() / 64;
    match &node.value {
        Value::Scalar { text, .. } => 1 + weight(text),
        Value::List(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|entry| count(&entry.node) + weight(&entry.key)).sum::<usize>(),
    }
}

fn mark_at(marker: &saphyr_parser::Marker) -> Mark {
    Mark { line: marker.line(), column: marker.col() + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get<'a>(node: &'a Node, key: &str) -> &'a Node {
        match &node.value {
            Value::Map(entries) => &entries.iter().find(|e| e.key == key).expect(key).node,
            other => panic!("not a mapping: {other:?}"),
        }
    }

    #[test]
    fn values_know_where_they_stand() {
        let root = parse("a: 1\nb:\n  - {c: x}\n").unwrap();
        let b = get(&root, "b");
        let Value::List(items) = &b.value else { panic!("{b:?}") };
        assert_eq!(get(&items[0], "c").mark, Mark { line: 3, column: 9 });
    }

    fn text<'a>(node: &'a Node, key: &str) -> &'a str {
        match &get(node, key).value {
            Value::Scalar { text, .. } => text,
            other => panic!("not a scalar: {other:?}"),
        }
    }

    #[test]
    fn aliases_stand_where_they_are_used() {
        let root = parse("a: &x {k: 1}\nb: *x\n").unwrap();
        assert_eq!(get(&root, "b").mark, Mark { line: 2, column: 4 });
        assert_eq!(text(get(&root, "b"), "k"), "1");
    }

    #[test]
    fn an_explicit_key_wins_over_a_merged_one_wherever_it_stands() {
        for map in ["{<<: *x, k: 2}", "{k: 2, <<: *x}", "{<<: [{k: 2}, *x]}"] {
            let root = parse(&format!("a: &x {{k: 1, l: 3}}\nc: {map}\n")).unwrap();
            assert_eq!((text(get(&root, "c"), "k"), text(get(&root, "c"), "l")), ("2", "3"), "{map}");
        }
        assert!(parse("a: {<<: 1}").is_err());
        assert_eq!(text(&parse("\"<<\": x").unwrap(), "<<"), "x");
    }

    #[track_caller]
    fn refused(text: &str, line: usize, column: usize, message: &str) {
        assert_eq!(parse(text).unwrap_err(), SyntaxError { mark: Mark { line, column }, message: message.to_owned() });
    }

    #[test]
    fn a_key_given_twice_is_refused_with_both_places() {
        refused("a: 1\nb: 2\na: 3\n", 3, 1, "duplicate key `a`, given first on line 1");
        refused("a:\n  {b: 1, b: 2}\n", 2, 10, "duplicate key `b`, given first on line 2");
        refused("a: 1\n'a': 2\n", 2, 1, "duplicate key `a`, given first on line 1");
        // As many keys as make it keep an index of them.
        let many: String = (1..100).map(|i| format!("k{i}: v\n")).collect();
        refused(&format!("{many}k7: v\n"), 100, 1, "duplicate key `k7`, given first on line 7");
        refused(&format!("{many}k98: v\n"), 100, 1, "duplicate key `k98`, given first on line 98");
    }

    #[test]
    fn all_keys_given_twice_are_listed_and_the_first_of_them_is_kept() {
        let (root, duplicates) = parse_all("a: 1\na: 2\nb: {c: 1, c: 2}\n").unwrap();
        assert_eq!(text(&root, "a"), "1");
        assert_eq!(duplicates.iter().map(|d| d.mark.line).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn what_other_yaml_has_and_a_configuration_has_not_is_refused() {
        refused("a: 1\n---\nb: 2\n", 2, 1, "a second document begins here (`---`); one file holds one document");
        refused("a: !include b.yml\n", 1, 4, "tag `!include` is not supported");
        refused("? [a, b]\n: c\n", 1, 3, "a key is a text, not a list or a mapping");
        assert_eq!(text(&parse("a: !!str 1").unwrap(), "a"), "1");
    }

    #[test]
    fn files_of_every_editor_are_read() {
        for file in ["\u{feff}a: x\n", "a: x\r\nb: y\r\n", "---\na: x\n", "a: x"] {
            assert_eq!(text(&parse(file).unwrap(), "a"), "x", "{file:?}");
        }
        assert!(parse("").unwrap().is_null());
        assert!(parse("# nothing\n").unwrap().is_null());
        assert_eq!(get(&parse("日本: 語\n").unwrap(), "日本").mark, Mark { line: 1, column: 5 });
    }

    #[test]
    fn anchors_inside_anchors_do_not_multiply_a_file() {
        let depth = MAX_DEPTH - 1;
        let open: String = (0..depth).map(|i| format!("&a{i} [")).collect();
        let text = format!("{open}{}{}", "x,".repeat(50_000), "]".repeat(depth));
        assert!(parse(&text).unwrap_err().message.starts_with("more than"));
    }

    #[test]
    fn alias_bombs_are_refused() {
        let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for i in 1..12 {
            let p = format!("*a{}", i - 1);
            text += &format!("a{i}: &a{i} [{}]\n", vec![p; 10].join(","));
        }
        assert!(parse(&text).is_err());
    }

    #[test]
    fn a_long_text_copied_often_is_a_bomb_too() {
        let text = |copies: usize| format!("a: &a {}\nb: [{}]\n", "x".repeat(64_000), vec!["*a"; copies].join(","));
        assert!(parse(&text(500)).is_ok());
        assert!(parse(&text(1000)).is_err());
        let keys = format!("a: &a {{{}: 1}}\nb: [{}]\n", "k".repeat(1000), vec!["*a"; 100_000].join(","));
        assert!(parse(&keys).is_err());
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
