//! Space and file nodes of the mounted filesystems, as node_exporter's `filesystem`.
//!
//! The mounts are those of process 1; a filesystem that refuses or hangs is `node_filesystem_device_error`
//! 1 with the reason as a label, and has no sizes. Not for: filesystems of other mount namespaces.

mod mounts;
mod patience;

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use regex::Regex;

use self::mounts::Mount;
use self::patience::{Answer, Limits, Patience};
use super::kernel::{Kernel, Usage};
use super::source::value;
use super::{Collector, Error, Pass};
use crate::exposition::{Kind, Page, escape_label};

/// What node_exporter leaves out by default.
const EXCLUDED_POINTS: &str =
    "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)";
const EXCLUDED_TYPES: &str = "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$";

/// A family, its help, and its value for a mount.
type Family = (&'static str, &'static str, fn(&Filled) -> Option<f64>);

const FAMILIES: [Family; 7] = [
    ("node_filesystem_avail_bytes", "Filesystem space available to non-root users in bytes.", |mount| {
        mount.usage.map(|usage| value(usage.available))
    }),
    (
        "node_filesystem_device_error",
        "Whether an error occurred while getting statistics for the given device.",
        |mount| Some(f64::from(u8::from(mount.usage.is_none()))),
    ),
    ("node_filesystem_files", "Filesystem total file nodes.", |mount| mount.usage.map(|usage| value(usage.files))),
    ("node_filesystem_files_free", "Filesystem total free file nodes.", |mount| {
        mount.usage.map(|usage| value(usage.files_free))
    }),
    ("node_filesystem_free_bytes", "Filesystem free space in bytes.", |mount| {
        mount.usage.map(|usage| value(usage.free))
    }),
    ("node_filesystem_readonly", "Filesystem read-only status.", |mount| Some(f64::from(u8::from(mount.read_only)))),
    ("node_filesystem_size_bytes", "Filesystem size in bytes.", |mount| mount.usage.map(|usage| value(usage.size))),
];

#[derive(Debug)]
pub(super) struct Filesystem {
    patience: Arc<Patience>,
}

/// A mount's labels, already escaped, and what it said.
struct Filled {
    labels: String,
    read_only: bool,
    usage: Option<Usage>,
}

impl Filesystem {
    /// Over the kernel this process runs on.
    pub(super) fn live() -> Self {
        Self { patience: Patience::of_process() }
    }

    pub(super) fn over(kernel: Arc<dyn Kernel>) -> Self {
        Self { patience: Arc::new(Patience::new(kernel, Limits::default())) }
    }
}

impl Collector for Filesystem {
    fn name(&self) -> &'static str {
        "filesystem"
    }

    fn owns(&self, family: &str) -> bool {
        FAMILIES.iter().any(|(name, ..)| *name == family)
    }

    fn collect(&self, pass: &mut Pass<'_>, page: &mut Page) -> Result<(), Error> {
        let root = match &pass.roots.root {
            Some(root) => Some(root.as_path()),
            None => pass.roots.are_live().then_some(Path::new("/")),
        };
        // Sizes of our own root under the names of another system's mounts would be worse than none.
        let root = root.ok_or_else(|| Error::UnknownRoot { proc: pass.roots.proc.clone() })?;
        // Of process 1, as it sees the system's mounts where ours are cut down (systemd's sandboxing).
        let mut mounts =
            pass.proc("1/mountinfo", mounts::parse).or_else(|_| pass.proc("self/mountinfo", mounts::parse))?;
        mounts.retain(is_shown);
        let places = mounts.iter().map(|mount| (mount.id, below(root, &mount.point))).collect();
        let mut filled: Vec<Filled> =
            mounts.iter().zip(self.patience.ask(places)).map(|(mount, answer)| fill(mount, &answer)).collect();
        // The same device twice at one place is one series.
        filled.sort_by(|a, b| a.labels.cmp(&b.labels));
        filled.dedup_by(|a, b| a.labels == b.labels);
        write(&filled, page);
        Ok(())
    }
}

/// Where a mount of the system at `root` is for us.
fn below(root: &Path, point: &Path) -> PathBuf {
    root.join(point.strip_prefix("/").unwrap_or(point))
}

fn is_shown(mount: &Mount) -> bool {
    static POINTS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(EXCLUDED_POINTS).ok());
    static TYPES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(EXCLUDED_TYPES).ok());
    let matches = |regex: &Option<Regex>, text: &str| regex.as_ref().is_some_and(|regex| regex.is_match(text));
    !matches(&TYPES, &mount.fstype) && !matches(&POINTS, &mount.point.to_string_lossy())
}

fn fill(mount: &Mount, answer: &Answer) -> Filled {
    let point = mount.point.to_string_lossy();
    let (device, fstype, point) = (escape_label(&mount.device), escape_label(&mount.fstype), escape_label(&point));
    let mut labels = format!("device=\"{device}\",fstype=\"{fstype}\",mountpoint=\"{point}\"");
    let (usage, reason) = match answer {
        Answer::Usage(usage) => (Some(*usage), None),
        Answer::Refused(error) => (None, Some(reason(error))),
        Answer::Hangs => (None, Some("mountpoint timeout".into())),
    };
    if let Some(reason) = reason {
        let _ = write!(labels, ",device_error=\"{}\"", escape_label(&reason));
    }
    Filled { labels, read_only: mount.read_only, usage }
}

/// As node_exporter says it: the system's text for the error, without its number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

fn write(filled: &[Filled], page: &mut Page) {
    for (name, help, value_of) in FAMILIES {
        if filled.iter().any(|mount| value_of(mount).is_some()) {
            page.family(name, help, Kind::Gauge);
        }
        for mount in filled {
            if let Some(value) = value_of(mount) {
                page.rendered(&mount.labels, "", value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(point: &str, fstype: &str, expected: bool) {
        let mount =
            Mount { id: 1, device: "/dev/sda1".into(), point: point.into(), fstype: fstype.into(), read_only: false };
        assert_eq!(is_shown(&mount), expected, "{point} {fstype}");
    }

    #[test]
    fn system_places_and_pseudo_filesystems_are_left_out() {
        for point in ["/", "/data", "/device", "/run", "/run/user/1000", "/mnt", "/var/lib/docker", "/srv/sys"] {
            check(point, "ext4", true);
        }
        for point in
            ["/dev", "/dev/shm", "/proc/sys", "/sys", "/run/credentials/a.service", "/var/lib/docker/volumes/x"]
        {
            check(point, "ext4", false);
        }
        for fstype in ["tmpfs", "nfs4", "fuse.sshfs", "btrfs", "cgroup3"] {
            check("/data", fstype, true);
        }
        for fstype in ["overlay", "cgroup", "cgroup2", "proc", "squashfs", "tracefs", "autofs"] {
            check("/data", fstype, false);
        }
    }

    #[test]
    fn mounts_are_found_below_the_systems_root() {
        for (root, point, expected) in
            [("/", "/", "/"), ("/", "/srv", "/srv"), ("/host", "/", "/host/"), ("/host", "/srv", "/host/srv")]
        {
            assert_eq!(below(Path::new(root), Path::new(point)).as_os_str(), expected);
        }
    }

    #[test]
    fn reasons_read_as_the_system_says_them() {
        assert_eq!(reason(&io::Error::from_raw_os_error(13)), "permission denied");
        assert_eq!(reason(&io::Error::from_raw_os_error(116)), "stale file handle");
    }
}
