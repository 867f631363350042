//! What `apt-cache policy` says: the archives apt knows, and of each installed package the versions that are newer and where
//! they come from.
//!
//! Pure. Versions stand in descending order around the installed one (`***`), so that what is newer is what is above it.
//! Not for what apt would install: a package that is held, pinned or cannot be upgraded waits all the same.

use std::collections::BTreeMap;

/// What an archive says of itself in its Release file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archive {
    /// `Debian`, `Ubuntu`, `apt.postgresql.org`.
    pub origin: String,
    /// `Debian-Security`.
    pub label: String,
    /// `stable-security`, `jammy-security`, `jammy-infra-security`.
    pub suite: String,
    /// `bookworm-security`, `jammy`.
    pub codename: String,
}

impl Archive {
    /// Whether it has security updates: a distribution's own archive of them, or all of an origin in `also`.
    #[must_use]
    pub fn is_security(&self, also: &[String]) -> bool {
        self.label == "Debian-Security"
            || self.suite.ends_with("-security")
            || self.codename.ends_with("-security")
            || (!self.origin.is_empty() && also.contains(&self.origin))
    }
}

/// An installed package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// With its architecture where that is not the system's own (`libc6:i386`).
    pub name: String,
    /// The version that is installed.
    pub installed: String,
    /// Newer versions of security archives, the newest first.
    pub newer: Vec<String>,
}

/// Reads `apt-cache policy`: archives by how their index is called.
#[must_use]
pub fn archives(text: &str) -> BTreeMap<&str, Archive> {
    let mut found = BTreeMap::new();
    let mut index = None;
    for line in text.lines() {
        if let Some(fields) = line.trim_start().strip_prefix("release ").filter(|_| line.starts_with("     ")) {
            if let Some(index) = index {
                found.insert(index, release(fields));
            }
        } else if !line.starts_with("     ") {
            // ` 500 http://…`; a priority of four digits begins the line. Neither is `Pinned packages:`.
            let (priority, rest) = line.trim_start().split_once(' ').unwrap_or_default();
            index = priority.parse::<i32>().is_ok().then_some(rest);
        }
    }
    found
}

/// `v=12,o=Debian,a=oldstable-security,n=bookworm-security,l=Debian-Security,c=main,b=amd64`; a value may have commas.
fn release(text: &str) -> Archive {
    let mut fields: Vec<(u8, String)> = Vec::new();
    for part in text.split(',') {
        match (part.as_bytes(), fields.last_mut()) {
            ([key, b'=', value @ ..], _) if key.is_ascii_lowercase() => {
                fields.push((*key, String::from_utf8_lossy(value).into_owned()));
            }
            (_, Some((_, value))) => {
                value.push(',');
                value.push_str(part);
            }
            (_, None) => {}
        }
    }
    let field =
        |key: u8| fields.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone()).unwrap_or_default();
    Archive { origin: field(b'o'), label: field(b'l'), suite: field(b'a'), codename: field(b'n') }
}

/// Reads `apt-cache policy PACKAGE…`; `security` tells whether an index, by how it is called, has security updates.
#[must_use]
pub fn packages(text: &str, security: impl Fn(&str) -> bool) -> Vec<Package> {
    let mut found: Vec<Package> = Vec::new();
    let mut place = Place::Head;
    for line in text.lines() {
        if !line.starts_with(' ') {
            if let Some(name) = line.strip_suffix(':') {
                found.push(Package { name: name.to_owned(), ..Package::default() });
            }
            place = Place::Head;
            continue;
        }
        let Some(package) = found.last_mut() else { continue };
        place = match place {
            Place::Head if line.trim() == "Version table:" => Place::Newer(None),
            Place::Head => {
                if let Some(version) = line.trim_start().strip_prefix("Installed: ") {
                    package.installed = version.to_owned();
                }
                Place::Head
            }
            Place::Newer(_) if line.starts_with(" *** ") => Place::Older,
            Place::Newer(version) => match line.strip_prefix("      ") {
                // `        500 http://… bookworm-security/main amd64 Packages`
                Some(index) => {
                    let index = index.trim_start().split_once(' ').map_or("", |(_priority, index)| index);
                    let version = version.filter(|_| security(index)).map_or(version, |version| {
                        package.newer.push(version.to_owned());
                        // Once, however many archives have it.
                        None
                    });
                    Place::Newer(version)
                }
                // `     3.0.22-1~deb12u2 500`
                None => Place::Newer(line.split_ascii_whitespace().next()),
            },
            Place::Older => Place::Older,
        };
    }
    found.retain(|package| !matches!(package.installed.as_str(), "" | "(none)"));
    found
}

/// Where in a package's part a line stands.
#[derive(Clone, Copy)]
enum Place<'a> {
    Head,
    /// Above the installed version; which version the next indexes are of.
    Newer(Option<&'a str>),
    Older,
}

#[cfg(test)]
mod tests;
