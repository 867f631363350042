//! `certificates`: files whose certificates are watched (C2.6.5–6).

use std::collections::HashMap;
use std::time::Duration;

use super::decode::{Cursor, collect};
use crate::certificates::CertificateSet;
use crate::duties::files;
use crate::secret::SecretSource;

const DAY: u64 = 86_400;

/// Reads the section.
pub(super) fn read(cursor: &Cursor<'_>) -> Option<Vec<CertificateSet>> {
    let mut seen: HashMap<String, String> = HashMap::new();
    collect(&cursor.list()?, |c| {
        let set = one(c)?;
        match seen.insert(set.name.clone(), c.path().to_owned()) {
            Some(first) => c.error(format_args!("`{}` is the name of {first} already", set.name)),
            None => Some(set),
        }
    })
}

fn one(cursor: &Cursor<'_>) -> Option<CertificateSet> {
    let mut map = cursor.map()?;
    let within = |c: Cursor<'_>, least: u64, most: u64, words: &str| {
        let duration = c.duration()?;
        let fits = (Duration::from_secs(least)..=Duration::from_secs(most)).contains(&duration);
        if fits { Some(duration) } else { c.error(format_args!("expected a duration {words}")) }
    };
    let name = map.require("name").and_then(|c| c.label());
    let path = map.require("path").and_then(|c| {
        let path = c.non_empty()?;
        match files::check(&path, "/etc/sla/clients/*.pem") {
            Ok(()) => Some(path),
            Err(why) => c.error(why),
        }
    });
    let password = map.get("password_file").map_or(Some(None), |c| {
        let source = SecretSource::File(c.document().resolve(&c.non_empty()?));
        if let Err(error) = source.read() {
            c.warn(error);
        }
        Some(Some(source))
    });
    let renew_before = map
        .get("renew_before")
        .map_or(Some(Duration::from_secs(30 * DAY)), |c| within(c, 3600, 400 * DAY, "from 1h to 400d"));
    let renew_every =
        map.get("renew_every").map_or(Some(None), |c| within(c, DAY, 4000 * DAY, "from 1d to 4000d").map(Some));
    let interval =
        map.get("interval").map_or(Some(Duration::from_secs(3600)), |c| within(c, 10, DAY, "from 10s to 1d"));
    map.finish();
    Some(CertificateSet {
        name: name?,
        path: path?,
        password: password?,
        renew_before: renew_before?,
        renew_every: renew_every?,
        interval: interval?,
    })
}
