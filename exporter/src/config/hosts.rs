//! `hosts`: the inventory, every device of the system (C2.1), and which of them a target is about.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::decode::Cursor;
use super::diagnostics::{Document, Severity};
use super::inventory_checks;
use super::names::shorten;
use super::node::Mark;
use super::roles::{self, Roles};
use super::{Host, TargetSpec};

/// All hosts, by what targets may call them.
#[derive(Default)]
pub(super) struct Inventory {
    list: Vec<Entry>,
    by_name: HashMap<String, usize>,
    by_address: HashMap<String, usize>,
    by_exporter: HashMap<String, usize>,
}

struct Entry {
    host: Host,
    mark: Mark,
    path: String,
    /// Place in the list of the host whose targets those at this one's address are.
    address_of: Option<usize>,
}

/// Reads the section.
pub(super) fn read(cursor: &Cursor<'_>, roles: &Roles) -> Inventory {
    let mut inventory = Inventory::default();
    for item in cursor.list().unwrap_or_default() {
        if let Some((host, address_of)) = inventory.read(&item, roles) {
            inventory.list.push(Entry { host, mark: item.node().mark, path: item.path().to_owned(), address_of });
        }
    }
    inventory
}

impl Inventory {
    /// A host, and which earlier one has its address.
    fn read(&mut self, cursor: &Cursor<'_>, roles: &Roles) -> Option<(Host, Option<usize>)> {
        // The place in the list this host will have; one that is refused leaves it to the next.
        let index = self.list.len();
        let mut map = cursor.map()?;
        let name = map.require("name").and_then(|c| {
            let name = c.label()?;
            unique(&mut self.by_name, &name, c.node().mark.line, &c, "host").then_some(name)
        });
        let role = map.get("role").map(|c| roles.find(&c));
        let address = map.require("address").and_then(|c| address(&c));
        let redundancy_group = map.get("redundancy_group").map(|c| c.label());
        let exporter = map.get("exporter").map(|c| {
            let exporter = exporter(&c)?;
            unique(&mut self.by_exporter, &exporter, c.node().mark.line, &c, "exporter").then_some(exporter)
        });
        let require = map.get("require").map(|c| inventory_checks::read(&c));
        let thresholds = map.get("thresholds").map_or(Some(Vec::new()), |c| {
            let mut map = c.map()?;
            let thresholds = roles::thresholds(&mut map);
            map.finish();
            thresholds
        });
        map.finish();
        let role = transpose(role)?;
        let host = Host {
            name: name?,
            require: transpose(require)?
                .unwrap_or_else(|| role.as_deref().map_or_else(Vec::new, |r| roles.required_by(r))),
            thresholds: thresholds?,
            role,
            address: address?,
            redundancy_group: transpose(redundancy_group)?,
            exporter: transpose(exporter)?,
        };
        // The first of several hosts behind one address has it.
        let first = *self.by_address.entry(canonical(&host.address)).or_insert(index);
        self.by_address.entry(canonical(&host.name)).or_insert(index);
        Some((host, (first != index).then_some(first)))
    }

    /// The host `target` is about: the one whose address or name is the target's host part.
    pub(super) fn host_of(&self, target: &str) -> Option<&str> {
        let index = self.by_address.get(&canonical(host_part(target)))?;
        self.list.get(*index).map(|entry| entry.host.name.as_str())
    }

    /// Warns of what an inventory should not have: hosts nobody watches or that cannot be told apart, and redundancy of one.
    pub(super) fn warn(&self, targets: &[Arc<TargetSpec>], doc: &Document) {
        let probed = inventory_checks::probed(targets);
        let mut groups: HashMap<&str, usize> = HashMap::new();
        for group in self.list.iter().filter_map(|entry| entry.host.redundancy_group.as_deref()) {
            *groups.entry(group).or_default() += 1;
        }
        for Entry { host, mark, path, address_of } in &self.list {
            let warn = |message: String| doc.report(Severity::Warning, *mark, path, message);
            let first = address_of.and_then(|at| self.list.get(at));
            match first {
                _ if probed.contains_key(host.name.as_str()) => {}
                Some(first) => warn(format!(
                    "no probe has host `{}` as a target: its address {} is also that of host `{}` on line {}, and targets at it are about that one; give each device an address of its own, or write `{}` by its name in targets (C2.1)",
                    host.name, host.address, first.host.name, first.mark.line, host.name
                )),
                None => warn(format!(
                    "no probe has host `{}` as a target, by its address or name; every device is to be watched (C2.1)",
                    host.name
                )),
            }
            let callable = match first {
                Some(_) => format!("its name {}", host.name),
                None => format!("its address {}", host.address),
            };
            inventory_checks::unmeasurable(host, &callable, &probed).into_iter().for_each(warn);
            if let Some(group) = host.redundancy_group.as_deref().filter(|group| groups.get(group) == Some(&1)) {
                warn(format!(
                    "`{}` is alone in redundancy group `{group}`, so nothing stands in for it (C2.4)",
                    host.name
                ));
            }
        }
    }

    /// The hosts in the file's order.
    pub(super) fn into_list(self) -> Vec<Host> {
        self.list.into_iter().map(|entry| entry.host).collect()
    }
}

/// `None` after an error, as the readers have it; `Some(None)` where nothing is given.
fn transpose<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(value) => value.map(Some),
    }
}

/// Notes where `value` was given; false after reporting that it was given before.
fn unique(seen: &mut HashMap<String, usize>, value: &str, line: usize, cursor: &Cursor<'_>, noun: &str) -> bool {
    if let Some(first) = seen.get(value) {
        cursor.error::<()>(format_args!("{noun} `{}` is already given on line {first}", shorten(value)));
        return false;
    }
    seen.insert(value.to_owned(), line);
    true
}

fn address(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.non_empty()?;
    if text.parse::<IpAddr>().is_ok() || is_hostname(&text) {
        return Some(text);
    }
    cursor
        .error(format_args!("`{}` is not an address; write a host name or an IP address, without port", shorten(&text)))
}

fn exporter(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.non_empty()?;
    let fits = text.rsplit_once(':').is_some_and(|(host, port)| {
        let host_fits = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
            Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
            None => is_hostname(host),
        };
        host_fits && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if fits {
        return Some(text);
    }
    cursor.error(format_args!(
        "`{}` is not host:port; write for example 10.0.0.11:10115 or [2001:db8::11]:10115",
        shorten(&text)
    ))
}

/// Names as DNS has them, and the underscore that is found in many.
fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    text.len() <= 253 && text.strip_suffix('.').unwrap_or(text).split('.').all(label)
}

/// The host in a target: of a URL, of `host:port`, or the target itself.
fn host_part(target: &str) -> &str {
    let rest = target.split_once("://").map_or(target, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(bracketed) = authority.strip_prefix('[') {
        return bracketed.split_once(']').map_or(authority, |(host, _)| host);
    }
    match authority.split_once(':') {
        // More than one colon without brackets: an IPv6 address, which has no port.
        Some((_, port)) if port.contains(':') => authority,
        Some((host, _)) => host,
        None => authority,
    }
}

/// One notation for what is the same address.
fn canonical(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => host.trim_end_matches('.').to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_part_is_found_in_every_kind_of_target() {
        for (target, host) in [
            ("https://www.example.com/a?b#c", "www.example.com"),
            ("http://10.0.0.1:8080", "10.0.0.1"),
            ("http://[2001:db8::1]:8080/", "2001:db8::1"),
            ("https://user@example.com/x@y", "example.com"),
            ("example.com/path:1", "example.com"),
            ("10.0.0.1:25", "10.0.0.1"),
            ("[::1]:25", "::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("web1", "web1"),
            ("postgres://db1:5432/app", "db1"),
            ("", ""),
            ("://", ""),
            ("[", "["),
        ] {
            assert_eq!(host_part(target), host, "{target}");
        }
    }

    #[test]
    fn one_address_in_two_notations_is_the_same() {
        assert_eq!(canonical("2001:DB8:0::1"), canonical("2001:db8::1"));
        assert_eq!(canonical("Web1.Example.com."), canonical("web1.example.com"));
    }

    #[test]
    fn host_names_are_told_from_other_texts() {
        for (text, is) in [
            ("web1", true),
            ("a.b-c.d_e", true),
            ("example.com.", true),
            ("10.0.0.1", true),
            ("", false),
            ("a..b", false),
            ("-a", false),
            ("a b", false),
            ("web1:80", false),
            ("http://web1", false),
        ] {
            assert_eq!(is_hostname(text), is, "{text}");
        }
    }
}
