//! Whether the host must be restarted for its updates to be in force.
//!
//! Two signs: the file that Debian's and Ubuntu's tools leave (`/run/reboot-required`), and an installed kernel that is newer than
//! the running one. Where neither can be expected (a container, a kernel of one's own, no tool that leaves the file), nothing is
//! known. Blocks. Not for services that still use a library that was replaced: needrestart knows those.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::version;
use crate::regular_file;

/// Larger than any of the files read here, in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// More than a boot partition holds.
const MAX_KERNELS: usize = 1000;
/// What leaves `reboot-required` when a package asks for it: update-notifier, unattended-upgrades, reboot-notifier.
const TOOLS: &[&str] = &[
    "usr/share/update-notifier/notify-reboot-required",
    "etc/kernel/postinst.d/unattended-upgrades",
    "etc/kernel/postinst.d/reboot-notifier",
];

/// What the signs say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reboot {
    /// A restart is required.
    pub required: bool,
    /// Packages that ask for it, where they are told.
    pub packages: Option<u64>,
    /// Not later than this it was asked for (seconds since the epoch), where that is told.
    pub asked_at: Option<i64>,
}

/// Looks below `root`, with the kernel as `proc` tells it; `None` where nothing can be known.
pub(super) fn look(root: &Path, proc: &Path) -> Option<Reboot> {
    let newer_kernel = regular_file::read_text(&proc.join("sys/kernel/osrelease"), MAX_BYTES)
        .ok()
        .and_then(|running| newer(running.trim(), &installed(root)));
    for run in ["run", "var/run"] {
        let file = root.join(run).join("reboot-required");
        let Ok(metadata) = std::fs::metadata(&file) else { continue };
        let packages = regular_file::read_text(&root.join(run).join("reboot-required.pkgs"), MAX_BYTES).ok();
        return Some(Reboot {
            required: true,
            packages: packages.map(|text| distinct(&text)),
            asked_at: Some(metadata.mtime()),
        });
    }
    let told = newer_kernel.is_some() || TOOLS.iter().any(|tool| root.join(tool).exists());
    told.then(|| Reboot { required: newer_kernel == Some(true), ..Reboot::default() })
}

fn distinct(text: &str) -> u64 {
    let mut names: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    names.len() as u64
}

/// Kernels of packages, by the release that `uname` would say.
fn installed(root: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(root.join("boot")) else { return Vec::new() };
    let names = entries.take(MAX_KERNELS).flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter_map(|name| name.strip_prefix("vmlinuz-").or_else(|| name.strip_prefix("vmlinux-")).map(str::to_owned))
        .collect()
}

/// Whether one of the `installed` kernels is newer than the running one; `None` where that is not one of them. Only kernels of one
/// flavour (`-amd64`, `-cloud-amd64`, `-generic`) are compared: which flavour is to run is the host's choice.
fn newer(running: &str, installed: &[String]) -> Option<bool> {
    let (version, flavour) = parts(running);
    installed.iter().any(|release| release == running).then(|| {
        installed
            .iter()
            .map(|release| parts(release))
            .any(|(other, its_flavour)| its_flavour == flavour && version::compare(other, version).is_gt())
    })
}

/// `6.1.0-37-cloud-amd64` is `6.1.0-37` and `-cloud-amd64`.
fn parts(release: &str) -> (&str, &str) {
    let bytes = release.as_bytes();
    let flavour = bytes.windows(2).position(|pair| pair[0] == b'-' && pair[1].is_ascii_alphabetic());
    release.split_at(flavour.unwrap_or(release.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_compared_with_those_of_its_flavour_and_only_where_it_is_installed_itself() {
        for (running, installed, expected) in [
            ("6.1.0-37-amd64", &["6.1.0-37-amd64", "6.1.0-9-amd64"][..], Some(false)),
            ("6.1.0-9-amd64", &["6.1.0-37-amd64", "6.1.0-9-amd64"], Some(true)),
            ("6.1.0-9-amd64", &["6.1.0-37-cloud-amd64", "6.1.0-9-amd64"], Some(false)),
            ("5.15.0-91-generic", &["5.15.0-91-generic", "5.15.0-101-generic"], Some(true)),
            ("6.1.0-37-amd64", &["6.12.41+deb13-amd64", "6.1.0-37-amd64"], Some(true)),
            ("6.18.44-own", &["6.1.0-37-amd64"], None),
            ("6.18.44", &[], None),
            ("", &[], None),
        ] {
            let installed: Vec<String> = installed.iter().map(|release| (*release).to_owned()).collect();
            assert_eq!(newer(running, &installed), expected, "{running}");
        }
    }

    #[test]
    fn the_signs_are_read_below_a_root_and_where_there_are_none_nothing_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in ["proc/sys/kernel", "boot", "run", "etc/kernel/postinst.d"] {
            std::fs::create_dir_all(root.join(path)).unwrap();
        }
        let proc = root.join("proc");
        std::fs::write(proc.join("sys/kernel/osrelease"), "6.1.0-9-amd64\n").unwrap();
        assert_eq!(look(root, &proc), None);
        let no = Some(Reboot::default());
        std::fs::write(root.join("etc/kernel/postinst.d/unattended-upgrades"), "").unwrap();
        assert_eq!(look(root, &proc), no, "a tool would say so");
        std::fs::remove_file(root.join("etc/kernel/postinst.d/unattended-upgrades")).unwrap();
        std::fs::write(root.join("boot/vmlinuz-6.1.0-9-amd64"), "").unwrap();
        assert_eq!(look(root, &proc), no);
        std::fs::write(root.join("boot/vmlinuz-6.1.0-37-amd64"), "").unwrap();
        assert_eq!(look(root, &proc), Some(Reboot { required: true, ..Reboot::default() }));
        std::fs::write(root.join("run/reboot-required"), "*** System restart required ***\n").unwrap();
        std::fs::write(root.join("run/reboot-required.pkgs"), "linux-base\nlibssl3\nlinux-base\n").unwrap();
        let told = look(root, &proc).unwrap();
        assert_eq!((told.required, told.packages), (true, Some(2)));
        assert!(told.asked_at.is_some());
    }
}
