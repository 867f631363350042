//! The mounts of a system out of `/proc/<pid>/mountinfo` (proc_pid_mountinfo(5)).
//!
//! Not for: which of them are shown, nor asking the filesystems anything.

use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use crate::host::source::{ParseError, lines, number, shown};

/// A mount somebody can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// The kernel's number for it: tells a mount from an earlier one at the same place.
    pub(super) id: u64,
    /// What is mounted, such as `/dev/sda1` or `server:/export`.
    pub(super) device: String,
    /// Where; not necessarily UTF-8.
    pub(super) point: PathBuf,
    /// Such as `ext4`.
    pub(super) fstype: String,
    /// By the mount's options or the filesystem's own.
    pub(super) read_only: bool,
}

/// All mounts, without those that lie hidden under another at the same place: asking for the place would
/// answer for the other.
pub(super) fn parse(text: &[u8]) -> Result<Vec<Mount>, ParseError> {
    let mut mounts = Vec::new();
    let mut over = HashSet::new();
    for (i, line) in lines(text) {
        let (parent, mount) = parse_line(i, line)?;
        over.insert((parent, mount.point.clone()));
        mounts.push(mount);
    }
    mounts.retain(|mount| !over.contains(&(mount.id, mount.point.clone())));
    Ok(mounts)
}

/// The mount and the number of the one it is mounted on.
fn parse_line(i: usize, line: &[u8]) -> Result<(u64, Mount), ParseError> {
    // By single spaces: a device's name may be empty.
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let separator = fields.iter().skip(6).position(|field| *field == b"-").map(|at| at + 6);
    let (Some([id, parent, _number, _root, point, options, ..]), Some([fstype, device, own_options, ..])) =
        (separator.map(|at| &fields[..at]), separator.map(|at| &fields[at + 1..]))
    else {
        let expected = "id, parent, device number, root, mount point, options, -, type, device, options";
        return Err(ParseError::at(i, format!("found `{}`, expected {expected}", shown(line))));
    };
    let has = |options: &[u8], option: &[u8]| options.split(|byte| *byte == b',').any(|found| found == option);
    let mount = Mount {
        id: number(i, id)?,
        device: String::from_utf8_lossy(&unescape(device)).into_owned(),
        point: OsString::from_vec(unescape(point)).into(),
        fstype: String::from_utf8_lossy(&unescape(fstype)).into_owned(),
        // `emergency_ro`: what a filesystem makes of itself on damage, since Linux 6.13.
        read_only: has(options, b"ro") || has(own_options, b"ro") || has(own_options, b"emergency_ro"),
    };
    Ok((number(i, parent)?, mount))
}

/// `\040` and the like as the bytes they stand for: space, tab, line feed and backslash are written so.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        let octal = tail.get(..3).filter(|_| *first == b'\\').and_then(|digits| {
            digits
                .iter()
                .try_fold(0_u16, |sum, digit| (b'0'..=b'7').contains(digit).then(|| sum * 8 + u16::from(digit - b'0')))
        });
        match octal.and_then(|value| u8::try_from(value).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(text: &str) -> Vec<String> {
        parse(text.as_bytes()).unwrap().iter().map(|mount| mount.point.display().to_string()).collect()
    }

    #[test]
    fn optional_fields_are_skipped_whatever_their_number() {
        for optional in ["", "shared:1 ", "shared:1 master:2 propagate_from:3 "] {
            let text = format!("36 35 98:0 / /mnt rw,noatime {optional}- ext3 /dev/root rw,errors=continue\n");
            let expected = Mount {
                id: 36,
                device: "/dev/root".into(),
                point: "/mnt".into(),
                fstype: "ext3".into(),
                read_only: false,
            };
            assert_eq!(parse(text.as_bytes()), Ok(vec![expected]));
        }
    }

    #[test]
    fn octal_escapes_are_the_bytes_they_stand_for() {
        let escaped = |field: &str| String::from_utf8(unescape(field.as_bytes())).unwrap();
        assert_eq!(escaped(r"/a\040b\011c\012d\134e"), "/a b\tc\nd\\e");
        assert_eq!(escaped(r"/\0400"), "/ 0");
        assert_eq!(escaped(r"\134040"), r"\040");
        for plain in [r"\", r"\04", r"\999", r"\400", r"a\x"] {
            assert_eq!(escaped(plain), plain);
        }
    }

    #[test]
    fn a_mount_under_another_at_the_same_place_is_hidden() {
        let text = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 20 0:1 / /data rw - autofs systemd-1 rw\n\
                    31 30 0:2 / /data rw - nfs4 server:/data rw\n32 20 0:3 / /data2 rw - tmpfs t rw\n";
        let mounts = parse(text.as_bytes()).unwrap();
        assert_eq!(mounts.iter().map(|mount| mount.id).collect::<Vec<_>>(), [20, 31, 32]);
    }

    #[test]
    fn read_only_by_the_mount_by_the_filesystem_or_by_emergency() {
        let read_only = |options: &str, own: &str| {
            let text = format!("36 35 98:0 / /mnt {options} - ext4 /dev/sda {own}\n");
            parse(text.as_bytes()).unwrap()[0].read_only
        };
        assert!(read_only("ro,noatime", "rw"));
        assert!(read_only("rw", "ro"));
        assert!(read_only("rw", "rw,emergency_ro"));
        assert!(!read_only("rw,errors=remount-ro", "rw,errors=ro"));
    }

    #[test]
    fn an_empty_device_name_shifts_nothing() {
        assert_eq!(points("36 35 98:0 / /mnt rw -  fuse.x  rw\n").len(), 1);
        assert_eq!(parse(b"36 35 98:0 / /mnt rw - tmpfs  rw\n").unwrap()[0].device, "");
    }

    #[test]
    fn garbage_names_its_line() {
        let good = "36 35 98:0 / /mnt rw - ext3 /dev/root rw\n";
        for line in [
            "36 35 98:0 / /mnt rw ext3 /dev/root rw\n",
            "x 35 98:0 / /mnt rw - a b c\n",
            "36 35 -\n",
            "36 35 98:0 / /mnt rw -\n",
        ] {
            assert_eq!(parse(format!("{good}{line}").as_bytes()).unwrap_err().line, 2, "{line}");
        }
    }
}
