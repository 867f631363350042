//! `modules` and `module_files`: named settings of probers, from `sla.yml` and from blackbox.yml files as they are.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::sync::Arc;

use super::decode::Cursor;
use super::diagnostics::{Document, Position, Severity};
use super::load::{MAX_BYTES, parse};
use super::names::{self, check_label};
use super::node::Mark;
use crate::probe::{Module, decode_module};
use crate::regular_file;

/// The largest certificate or other file a module may depend on, in bytes.
const MAX_DEPENDENCY_BYTES: u64 = 1024 * 1024;

/// All modules by name, in the order they were read.
#[derive(Debug, Default)]
pub(super) struct Modules {
    order: Vec<String>,
    by_name: HashMap<String, Defined>,
    /// Hashes of files that modules depend on; one CA file serves many modules.
    contents: HashMap<PathBuf, u64>,
}

#[derive(Debug)]
struct Defined {
    /// Absent when its settings were refused: known by name, so that probes are not blamed for it.
    module: Option<Arc<Module>>,
    /// Its file, for messages of other files.
    file: PathBuf,
    mark: Mark,
    /// Its path, such as `modules.ping`.
    path: String,
    used: Cell<bool>,
    /// The stretch of its document's findings that are about it.
    findings: (Position, Position),
}

/// A module file with `text` in it, for fuzzing.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(text: &str) {
    let mut doc = Document::new(std::path::Path::new("blackbox.yml"));
    doc.inline_secrets = true;
    Modules::default().read_text(&doc, text);
    let _ = doc.into_parts().0.iter().map(ToString::to_string).collect::<Vec<_>>();
}

impl Modules {
    /// Reads a mapping of modules.
    pub(super) fn read(&mut self, cursor: &Cursor<'_>) {
        for (name, mark, module) in cursor.named().unwrap_or_default() {
            if let Err(why) = check_label(name, names::MAX_NAME) {
                module.error_at(mark, why);
                continue;
            }
            if let Some(first) = self.by_name.get(name) {
                let (file, at) = (first.file.display(), first.mark);
                module.error_at(
                    mark,
                    format_args!("module `{name}` is already defined at {file}:{}:{}", at.line, at.column),
                );
                continue;
            }
            let (from, errors) = (module.document().position(), module.document().error_count());
            let decoded = self.decode(name, &module).map(Arc::new);
            // One that lacks what was refused would check less than its file says.
            let decoded = decoded.filter(|_| module.document().error_count() == errors);
            let defined = Defined {
                module: decoded,
                findings: (from, module.document().position()),
                file: cursor.document().file.clone(),
                mark,
                path: module.path().to_owned(),
                used: Cell::new(false),
            };
            self.order.push(name.to_owned());
            self.by_name.insert(name.to_owned(), defined);
        }
    }

    /// Reads a file with `modules:` at its top, named by `name` in `sla.yml`.
    pub(super) fn read_file(&mut self, name: &Cursor<'_>, others: &mut Vec<Document>) {
        let Some(path) = name.file() else { return };
        if others.iter().any(|other| other.file == path) {
            name.error::<()>(format_args!("{} is named already", path.display()));
            return;
        }
        let text = match regular_file::read_text(&path, MAX_BYTES) {
            Ok(text) => text,
            Err(error) => {
                name.error::<()>(format_args!("cannot read {}: {error}", path.display()));
                return;
            }
        };
        let mut doc = Document::new(&path);
        doc.inline_secrets = true;
        self.read_text(&doc, &text);
        others.push(doc);
    }

    /// Reads the content of a module file.
    pub(super) fn read_text(&mut self, doc: &Document, text: &str) {
        let Some(node) = parse(doc, text) else { return };
        let Some(mut map) = Cursor::root(doc, &node).map() else { return };
        if let Some(modules) = map.require("modules") {
            self.read(&modules);
        }
        map.finish();
    }

    fn decode(&mut self, name: &str, cursor: &Cursor<'_>) -> Option<Module> {
        let doc = cursor.document();
        let known = doc.reference_count();
        let mut module = decode_module(name, cursor)?;
        let mut hasher = DefaultHasher::new();
        module.fingerprint.hash(&mut hasher);
        for path in doc.references_after(known) {
            self.content_hash(&path).hash(&mut hasher);
            path.hash(&mut hasher);
        }
        module.fingerprint = hasher.finish();
        Some(module)
    }

    /// A file that cannot be read has the hash 0: its module's reader reports it.
    fn content_hash(&mut self, path: &PathBuf) -> u64 {
        if let Some(hash) = self.contents.get(path) {
            return *hash;
        }
        let hash = regular_file::read(path, MAX_DEPENDENCY_BYTES).map_or(0, |content| {
            let mut hasher = DefaultHasher::new();
            content.hash(&mut hasher);
            hasher.finish()
        });
        self.contents.insert(path.clone(), hash);
        hash
    }

    /// The module `cursor` names. `None` after reporting that there is none, or when its settings were refused.
    pub(super) fn find(&self, cursor: &Cursor<'_>) -> Option<Arc<Module>> {
        let name = cursor.string()?;
        match self.by_name.get(&name) {
            Some(defined) => {
                defined.used.set(true);
                defined.module.clone()
            }
            None => cursor.error(names::unknown("module", &name, self.order.iter().map(String::as_str))),
        }
    }

    /// Names the modules of `doc` that no probe uses. A blackbox.yml taken as it is may have more than is used here.
    pub(super) fn warn_of_unused(&self, doc: &Document) {
        for defined in self.by_name.values().filter(|d| !d.used.get() && d.file == doc.file) {
            doc.report(Severity::Warning, defined.mark, &defined.path, "no probe uses this module");
        }
    }

    /// A file that is taken as it is may have modules this version cannot read; as long as no probe uses them, they are
    /// warnings. Call it when all probes are read.
    pub(super) fn excuse_unused(&self, files: &[Document]) {
        for defined in self.by_name.values().filter(|d| !d.used.get()) {
            if let Some(doc) = files.iter().find(|doc| doc.file == defined.file) {
                doc.downgrade(defined.findings.0, defined.findings.1);
            }
        }
    }

    /// The names of modules whose settings were refused, and where they stand.
    pub(super) fn unusable(&self) -> Vec<(String, String)> {
        let refused = |name: &String| {
            let defined = self.by_name.get(name).filter(|defined| defined.module.is_none())?;
            let Mark { line, column } = defined.mark;
            Some((name.clone(), format!("{}:{line}:{column}", defined.file.display())))
        };
        self.order.iter().filter_map(refused).collect()
    }

    /// The modules in the order they were read.
    pub(super) fn into_list(mut self) -> Vec<Arc<Module>> {
        self.order.iter().filter_map(|name| self.by_name.remove(name)?.module).collect()
    }
}
