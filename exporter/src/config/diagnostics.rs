//! What is wrong with a file: place, path, message; all of it at once, not only the first.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use super::node::Mark;

/// Findings listed for one file; a file with more of them is not this kind of file.
const MAX_FINDINGS: usize = 1000;

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

/// A point in the course of reading a document.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    listed: usize,
    errors: usize,
}

/// A file being read: collects findings and the other files it refers to.
#[derive(Debug)]
pub struct Document {
    /// The file as it was named.
    pub file: PathBuf,
    /// Accept secrets written inline: only for a blackbox.yml taken as it is.
    pub inline_secrets: bool,
    findings: RefCell<Vec<Diagnostic>>,
    errors: Cell<usize>,
    unlisted: Cell<usize>,
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
            errors: Cell::new(0),
            unlisted: Cell::new(0),
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

    /// Adds a finding; beyond the first thousand only their number.
    pub fn report(&self, severity: Severity, mark: Mark, path: impl Into<String>, message: impl fmt::Display) {
        if severity == Severity::Error {
            self.errors.set(self.errors.get() + 1);
        }
        let mut findings = self.findings.borrow_mut();
        if findings.len() >= MAX_FINDINGS {
            self.unlisted.set(self.unlisted.get() + 1);
            return;
        }
        findings.push(Diagnostic {
            file: self.file.clone(),
            mark,
            path: path.into(),
            message: message.to_string(),
            severity,
        });
    }

    /// How many findings there are, listed ones and errors: where a stretch of findings begins or ends.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { listed: self.findings.borrow().len(), errors: self.errors.get() }
    }

    /// Makes the errors reported from `from` until `to` warnings: they are about something nobody uses.
    pub fn downgrade(&self, from: Position, to: Position) {
        for finding in &mut self.findings.borrow_mut()[from.listed..to.listed] {
            finding.severity = Severity::Warning;
        }
        self.errors.set(self.errors.get() - (to.errors - from.errors));
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

    /// How many errors were reported so far.
    #[must_use]
    pub fn error_count(&self) -> usize {
        self.errors.get()
    }

    /// Whether an error was reported.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors.get() > 0
    }

    /// The findings in the file's order, and the files referred to.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Diagnostic>, Vec<PathBuf>) {
        let mut findings = self.findings.into_inner();
        findings.sort_by_key(|finding| finding.mark);
        match self.unlisted.get() {
            0 => {}
            more => findings.push(Diagnostic {
                file: self.file,
                mark: Mark::default(),
                path: String::new(),
                message: format!("and {more} more findings"),
                severity: if self.errors.get() > 0 { Severity::Error } else { Severity::Warning },
            }),
        }
        (findings, self.references.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_printed_with_its_place_and_without_one_where_it_has_none() {
        let doc = Document::new(Path::new("a/sla.yml"));
        doc.report(Severity::Warning, Mark { line: 2, column: 3 }, "b.c", "odd");
        doc.report(Severity::Error, Mark::default(), "", "unreadable");
        let (findings, _) = doc.into_parts();
        assert_eq!(findings[0].to_string(), "a/sla.yml: unreadable");
        assert_eq!(findings[1].to_string(), "a/sla.yml:2:3: warning: b.c: odd");
    }

    #[test]
    fn findings_without_end_are_counted_and_an_error_among_them_is_not_lost() {
        let doc = Document::new(Path::new("f"));
        for line in 1..=MAX_FINDINGS {
            doc.report(Severity::Warning, Mark { line, column: 1 }, "", "odd");
        }
        assert!(!doc.has_errors());
        doc.report(Severity::Error, Mark { line: 1, column: 1 }, "", "wrong");
        assert!(doc.has_errors());
        let (findings, _) = doc.into_parts();
        assert_eq!(findings.len(), MAX_FINDINGS + 1);
        assert_eq!(findings[MAX_FINDINGS].to_string(), "f: and 1 more findings");
        assert_eq!(findings[MAX_FINDINGS].severity, Severity::Error);
    }

    #[test]
    fn errors_about_what_nobody_uses_become_warnings_and_others_stay() {
        let doc = Document::new(Path::new("f"));
        let report = |line| doc.report(Severity::Error, Mark { line, column: 1 }, "", "wrong");
        report(1);
        let from = doc.position();
        report(2);
        let to = doc.position();
        doc.downgrade(from, to);
        assert!(doc.has_errors());
        let severities: Vec<_> = doc.into_parts().0.iter().map(|finding| finding.severity).collect();
        assert_eq!(severities, [Severity::Error, Severity::Warning]);
    }

    #[test]
    fn a_document_without_errors_but_downgraded_ones_has_none() {
        let doc = Document::new(Path::new("f"));
        let from = doc.position();
        // More than are listed: those count too.
        (0..2 * MAX_FINDINGS).for_each(|_| doc.report(Severity::Error, Mark::default(), "", "wrong"));
        doc.downgrade(from, doc.position());
        assert!(!doc.has_errors());
    }

    #[test]
    fn files_are_named_relative_to_the_file_that_names_them() {
        let doc = Document::new(Path::new("conf/sla.yml"));
        assert_eq!(doc.refer("ca.pem"), Path::new("conf/ca.pem"));
        assert_eq!(doc.resolve("/etc/ca.pem"), Path::new("/etc/ca.pem"));
        assert_eq!(Document::new(Path::new("sla.yml")).resolve("ca.pem"), Path::new("ca.pem"));
        assert_eq!(doc.references_after(0), [PathBuf::from("conf/ca.pem")]);
    }
}
