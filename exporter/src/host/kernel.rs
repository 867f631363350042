//! What a collector asks the kernel for by a call rather than a file.
//!
//! A trait, so that tests are a whole fake host: fixture files beside a fake kernel. Not for: anything that
//! stands in a file below [`super::Roots`].

use std::fmt::Debug;
use std::io;
use std::path::Path;

/// Space and file nodes of one mounted filesystem; sizes in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Size of the filesystem.
    pub size: u64,
    /// Free space.
    pub free: u64,
    /// Space a process without privileges may still use.
    pub available: u64,
    /// File nodes.
    pub files: u64,
    /// Free file nodes.
    pub files_free: u64,
}

/// What `uname -a` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // uname(2) names them
pub struct Uname {
    pub sysname: String,
    pub release: String,
    pub version: String,
    pub machine: String,
    pub nodename: String,
    pub domainname: String,
}

/// The calls the collectors make.
pub trait Kernel: Debug + Send + Sync {
    /// Seconds since the epoch.
    fn unix_seconds(&self) -> f64;
    /// Ticks a second of the times in `/proc/stat`.
    fn ticks_per_second(&self) -> f64;
    /// The names of the system.
    fn uname(&self) -> Uname;
    /// Usage of the filesystem mounted at `path`. Blocks for as long as the filesystem pleases, for ever
    /// on a mount whose server is gone.
    ///
    /// # Errors
    /// As statvfs(3).
    fn statvfs(&self, path: &Path) -> io::Result<Usage>;
}

/// The kernel this process runs on.
#[derive(Clone, Copy, Debug)]
pub struct Live;

impl Kernel for Live {
    fn unix_seconds(&self) -> f64 {
        crate::clock::unix_seconds()
    }

    // 100 on every Linux there is
    fn ticks_per_second(&self) -> f64 {
        rustix::param::clock_ticks_per_second() as f64
    }

    fn uname(&self) -> Uname {
        let names = rustix::system::uname();
        let text = |name: &std::ffi::CStr| name.to_string_lossy().into_owned();
        Uname {
            sysname: text(names.sysname()),
            release: text(names.release()),
            version: text(names.version()),
            machine: text(names.machine()),
            nodename: text(names.nodename()),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            domainname: text(names.domainname()),
            #[cfg(not(any(target_os = "linux", target_os = "android")))]
            domainname: String::new(),
        }
    }

    fn statvfs(&self, path: &Path) -> io::Result<Usage> {
        let stat = rustix::fs::statvfs(path)?;
        // Counted in f_frsize, as df does; f_bsize is only the preferred size of a transfer.
        let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
        Ok(Usage {
            size: bytes(stat.f_blocks),
            free: bytes(stat.f_bfree),
            available: bytes(stat.f_bavail),
            files: stat.f_files,
            files_free: stat.f_ffree,
        })
    }
}
