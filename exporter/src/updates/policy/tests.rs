//! What apt of Debian 12, Ubuntu 22.04 and 24.04 says, shortened.

use super::*;

const DEBIAN_12: &str = "Package files:
 100 /var/lib/dpkg/status
     release a=now
 500 http://deb.debian.org/debian-security bookworm-security/main amd64 Packages
     release v=12,o=Debian,a=oldstable-security,n=bookworm-security,l=Debian-Security,c=main,b=amd64
     origin deb.debian.org
 500 http://deb.debian.org/debian bookworm/main amd64 Packages
     release v=12.15,o=Debian,a=oldstable,n=bookworm,l=Debian,c=main,b=amd64
     origin deb.debian.org
1001 https://apt.postgresql.org/pub/repos/apt bookworm-pgdg/main amd64 Packages
     release o=apt.postgresql.org,a=bookworm-pgdg,n=bookworm-pgdg,l=PostgreSQL for Debian/Ubuntu, all releases,c=main,b=amd64
     origin apt.postgresql.org
  -1 file:/srv/flat ./ Packages
     release c=
Pinned packages:
     postgresql-15 -> 15.8-1.pgdg120+1 with priority 1001
";

const DEBIAN_12_PACKAGES: &str = "openssl:
  Installed: 3.0.19-1~deb12u2
  Candidate: 3.0.22-1~deb12u2
  Version table:
     3.0.22-1~deb12u2 500
        500 http://deb.debian.org/debian-security bookworm-security/main amd64 Packages
     3.0.20-1~deb12u2 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
 *** 3.0.19-1~deb12u2 100
        100 /var/lib/dpkg/status
perl:
  Installed: 5.36.0-7+deb12u4
  Candidate: 5.36.0-7+deb12u4
  Version table:
 *** 5.36.0-7+deb12u4 500
        500 http://deb.debian.org/debian-security bookworm-security/main amd64 Packages
        100 /var/lib/dpkg/status
     5.36.0-7+deb12u3 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
libcups2:
  Installed: 2.4.2-3+deb12u8
  Candidate: 2.4.2-3+deb12u9
  Version table:
     2.4.2-3+deb12u9 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
        500 http://deb.debian.org/debian-security bookworm-security/main amd64 Packages
 *** 2.4.2-3+deb12u8 100
        100 /var/lib/dpkg/status
base-files:
  Installed: 12.4+deb12u11
  Candidate: 12.4+deb12u15
  Version table:
     12.4+deb12u15 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
 *** 12.4+deb12u11 100
        100 /var/lib/dpkg/status
superseded:
  Installed: 1.0-1
  Candidate: 1.0-3
  Version table:
     1.0-3 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
     1.0-2 500
        500 http://deb.debian.org/debian-security bookworm-security/main amd64 Packages
 *** 1.0-1 100
        100 /var/lib/dpkg/status
postgresql-15:
  Installed: 15.7-1.pgdg120+1
  Candidate: 15.8-1.pgdg120+1
  Package pin: 15.8-1.pgdg120+1
  Version table:
     15.8-1.pgdg120+1 1001
       1001 https://apt.postgresql.org/pub/repos/apt bookworm-pgdg/main amd64 Packages
 *** 15.7-1.pgdg120+1 100
        100 /var/lib/dpkg/status
removed:
  Installed: (none)
  Candidate: 2
  Version table:
     2 500
        500 http://deb.debian.org/debian-security bookworm-security/main amd64 Packages
     1 -1
        100 /var/lib/dpkg/status
";

const UBUNTU_22_04: &str = "Package files:
 100 /var/lib/dpkg/status
     release a=now
 510 https://esm.ubuntu.com/infra/ubuntu jammy-infra-security/main amd64 Packages
     release v=22.04,o=UbuntuESM,a=jammy-infra-security,n=jammy,l=UbuntuESM,c=main,b=amd64
     origin esm.ubuntu.com
 500 http://security.ubuntu.com/ubuntu jammy-security/main amd64 Packages
     release v=22.04,o=Ubuntu,a=jammy-security,n=jammy,l=Ubuntu,c=main,b=amd64
     origin security.ubuntu.com
 500 http://archive.ubuntu.com/ubuntu jammy-updates/main amd64 Packages
     release v=22.04,o=Ubuntu,a=jammy-updates,n=jammy,l=Ubuntu,c=main,b=amd64
     origin archive.ubuntu.com
Pinned packages:
";

const UBUNTU_24_04_PACKAGES: &str = "systemd:
  Installed: 255.4-1ubuntu8.4
  Candidate: 255.4-1ubuntu8.4
  Version table:
     255.4-1ubuntu8.6 500 (phased 20%)
        500 http://archive.ubuntu.com/ubuntu noble-updates/main amd64 Packages
 *** 255.4-1ubuntu8.4 100
        100 /var/lib/dpkg/status
libssl3t64:i386:
  Installed: 3.0.13-0ubuntu3.4
  Candidate: 3.0.13-0ubuntu3.6
  Version table:
     3.0.13-0ubuntu3.6 500
        500 http://archive.ubuntu.com/ubuntu noble-updates/main i386 Packages
        500 http://security.ubuntu.com/ubuntu noble-security/main i386 Packages
 *** 3.0.13-0ubuntu3.4 100
        100 /var/lib/dpkg/status
";

#[test]
fn archives_are_known_by_what_they_say_of_themselves() {
    let found = archives(DEBIAN_12);
    let security: Vec<_> = found.iter().filter(|(_, archive)| archive.is_security(&[])).collect();
    assert_eq!(security.len(), 1, "{security:?}");
    assert_eq!(*security[0].0, "http://deb.debian.org/debian-security bookworm-security/main amd64 Packages");
    let pgdg = &found["https://apt.postgresql.org/pub/repos/apt bookworm-pgdg/main amd64 Packages"];
    assert_eq!(
        (pgdg.origin.as_str(), pgdg.label.as_str()),
        ("apt.postgresql.org", "PostgreSQL for Debian/Ubuntu, all releases")
    );
    assert!(pgdg.is_security(&["apt.postgresql.org".to_owned()]) && !pgdg.is_security(&["nginx".to_owned()]));
    assert_eq!(found["file:/srv/flat ./ Packages"], Archive::default());
    assert_eq!(found.len(), 5);
    let ubuntu: Vec<_> =
        archives(UBUNTU_22_04).into_values().filter(|one| one.is_security(&[])).map(|one| one.suite).collect();
    assert_eq!(ubuntu, ["jammy-security", "jammy-infra-security"]);
}

#[test]
fn what_waits_is_what_a_security_archive_has_and_is_newer_than_what_is_installed() {
    let found = packages(DEBIAN_12_PACKAGES, |index| index.contains("-security/"));
    let newer: Vec<_> = found.iter().map(|package| (package.name.as_str(), package.newer.as_slice())).collect();
    assert_eq!(
        newer,
        [
            ("openssl", &["3.0.22-1~deb12u2".to_owned()][..]),
            ("perl", &[]),
            ("libcups2", &["2.4.2-3+deb12u9".to_owned()]),
            ("base-files", &[]),
            // A point release has an even newer one: the fix is missing all the same.
            ("superseded", &["1.0-2".to_owned()]),
            ("postgresql-15", &[]),
        ]
    );
    assert_eq!(found[0].installed, "3.0.19-1~deb12u2");
    let all = packages(DEBIAN_12_PACKAGES, |index| index.contains("pgdg"));
    assert_eq!(all[5].newer, ["15.8-1.pgdg120+1"]);
}

#[test]
fn phased_updates_and_foreign_architectures_are_read() {
    let found = packages(UBUNTU_24_04_PACKAGES, |index| index.contains("-security/"));
    assert_eq!((found[0].name.as_str(), found[0].newer.len()), ("systemd", 0));
    assert_eq!(
        (found[1].name.as_str(), found[1].newer.as_slice()),
        ("libssl3t64:i386", &["3.0.13-0ubuntu3.6".to_owned()][..])
    );
}

#[test]
fn no_text_is_too_strange_to_be_read() {
    for text in [
        "",
        ":\n",
        "a:\n *** \n",
        "a:\n  Version table:\n     \n        \n",
        "  Installed: 1\n",
        " 5\n     release o\n",
        "\u{e9}:\n \u{e9}",
    ] {
        assert_eq!(packages(text, |_| true), Vec::new(), "{text:?}");
        assert!(archives(text).len() <= 1, "{text:?}");
    }
}
