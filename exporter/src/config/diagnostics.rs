//! What is wrong with a file: place, path, message; all of it at once, not only the first.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use super::node::Mark;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is taken; `check --deny-warnings` refuses it.
    Warning,
}

/// One finding. Displayed as `file:line:column: path: message`; without a place when it is about the whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file as it was named.
    pub file: PathBuf,
    /// Where in it.
    pub mark: Mark,
    /// Which key, such as `probes[2].interval`; empty for the whole file.
    pub path: String,
    /// What was found, what is accepted, what to do. Never the text of a secret.
    pub message: String,
    /// Error or warning.
    pub severity: Severity,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        // No place: the finding is about the file as a whole.
        if self.mark.line > 0 {
            write!(f, "{}:{}:", self.mark.line, self.mark.column)?;
        }
        f.write_str(" ")?;
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// A file being read: collects findings and the other files it refers to.
#[derive(Debug)]
pub struct Document {
    /// The file as it was named.
    pub file: PathBuf,
    /// Accept secrets written inline: only for a blackbox.yml taken as it is.
    pub inline_secrets: bool,
    findings: RefCell<Vec<Diagnostic>>,
    references: RefCell<Vec<PathBuf>>,
    /// Which keys each mapping accepts, as they are asked for: kept only where the reference documentation is checked.
    accepted: Option<RefCell<BTreeSet<String>>>,
}

impl Document {
    /// A document without findings.
    #[must_use]
    pub fn new(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            inline_secrets: false,
            findings: RefCell::default(),
            references: RefCell::default(),
            accepted: None,
        }
    }

    /// A document of which [`accepted_keys`](Self::accepted_keys) tells afterwards which keys it could have had.
    #[cfg(test)]
    #[must_use]
    pub fn recording(file: &Path) -> Self {
        Self { accepted: Some(RefCell::default()), ..Self::new(file) }
    }

    /// The paths of all keys that were asked for.
    #[cfg(test)]
    #[must_use]
    pub fn accepted_keys(&self) -> BTreeSet<String> {
        self.accepted.as_ref().map(|keys| keys.borrow().clone()).unwrap_or_default()
    }

    /// Notes the keys a mapping accepts.
    pub(super) fn accept(&self, path: &str, keys: &[&'static str]) {
        if let Some(accepted) = &self.accepted {
            let dot = if path.is_empty() { "" } else { "." };
            accepted.borrow_mut().extend(keys.iter().map(|key| format!("{path}{dot}{key}")));
        }
    }

    /// Adds a finding.
    pub fn report(&self, severity: Severity, mark: Mark, path: impl Into<String>, message: impl fmt::Display) {
        self.findings.borrow_mut().push(Diagnostic {
            file: self.file.clone(),
            mark,
            path: path.into(),
            message: message.to_string(),
            severity,
        });
    }

    /// `path` as written in the file, relative to the file's folder.
    #[must_use]
    pub fn resolve(&self, path: &str) -> PathBuf {
        match self.file.parent() {
            Some(folder) => folder.join(path),
            None => PathBuf::from(path),
        }
    }

    /// As [`resolve`](Self::resolve), and remembered as something the file depends on: a change of its content is a
    /// change of the configuration. Not for secrets, which are read at each use.
    pub fn refer(&self, path: &str) -> PathBuf {
        let resolved = self.resolve(path);
        self.references.borrow_mut().push(resolved.clone());
        resolved
    }

    /// The files referred to after the first `skip`.
    #[must_use]
    pub fn references_after(&self, skip: usize) -> Vec<PathBuf> {
        self.references.borrow().iter().skip(skip).cloned().collect()
    }

    /// How many files were referred to so far.
    #[must_use]
    pub fn reference_count(&self) -> usize {
        self.references.borrow().len()
    }

    /// Whether an error was reported.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.findings.borrow().iter().any(|finding| finding.severity == Severity::Error)
    }

    /// The findings in the file's order, and the files referred to.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Diagnostic>, Vec<PathBuf>) {
        let mut findings = self.findings.into_inner();
        findings.sort_by_key(|finding| finding.mark);
        (findings, self.references.into_inner())
    }
}
