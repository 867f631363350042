//! What is to be changed so that Grafana shows the regions that are wanted, and no other of ours.

use std::collections::BTreeMap;

use super::Region;

/// An annotation of ours that Grafana has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Existing {
    /// Grafana's number for it.
    pub id: i64,
    /// The region it was written as.
    pub key: String,
    /// Begin, in milliseconds since the epoch.
    pub time: i64,
    /// End.
    pub end: i64,
    /// All tags, in any order.
    pub tags: Vec<String>,
    /// What people read.
    pub text: String,
}

impl Existing {
    fn shows(&self, region: &Region) -> bool {
        (self.time, self.end, &self.text) == (region.time, region.end, &region.text) && same(&self.tags, &region.tags)
    }
}

fn same(a: &[String], b: &[String]) -> bool {
    let sorted = |tags: &[String]| {
        let mut sorted = tags.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        sorted
    };
    sorted(a) == sorted(b)
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// A region that is missing.
    Create(&'a Region),
    /// A region that is not as it should be.
    Update {
        /// Grafana's number.
        id: i64,
        /// As it should be.
        region: &'a Region,
    },
    /// An annotation of ours that no region is for.
    Delete {
        /// Grafana's number.
        id: i64,
        /// The region it was written as.
        key: &'a str,
        /// Another annotation shows that region: two exporters created it at the same time.
        twice: bool,
    },
}

impl Change<'_> {
    /// The region it is about.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Create(region) | Self::Update { region, .. } => &region.key,
            Self::Delete { key, .. } => key,
        }
    }

    /// For metrics and logs.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Create(_) => "created",
            Self::Update { .. } => "updated",
            Self::Delete { .. } => "deleted",
        }
    }
}

/// The changes, in an order in which nothing disappears before what replaces it is there. Of two annotations for one region
/// the one with the lower number stays: every exporter decides alike.
#[must_use]
pub fn plan<'a>(wanted: &'a [Region], existing: &'a [Existing]) -> Vec<Change<'a>> {
    let mut found: BTreeMap<&str, Vec<&Existing>> = BTreeMap::new();
    for annotation in existing {
        found.entry(&annotation.key).or_default().push(annotation);
    }
    found.values_mut().for_each(|all| all.sort_by_key(|annotation| annotation.id));
    let (mut creates, mut updates, mut deletes) = (Vec::new(), Vec::new(), Vec::new());
    for region in wanted {
        let Some(all) = found.remove(region.key.as_str()) else {
            creates.push(Change::Create(region));
            continue;
        };
        for (place, annotation) in all.into_iter().enumerate() {
            if place > 0 {
                deletes.push(Change::Delete { id: annotation.id, key: &annotation.key, twice: true });
            } else if !annotation.shows(region) {
                updates.push(Change::Update { id: annotation.id, region });
            }
        }
    }
    for annotation in found.into_values().flatten() {
        deletes.push(Change::Delete { id: annotation.id, key: &annotation.key, twice: false });
    }
    creates.into_iter().chain(updates).chain(deletes).collect()
}
