//! The loop that reads certificate files in the background.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::CertificateSet;
use super::read::{Certificate, mark_authorities, read};
use crate::app::App;
use crate::duties::background::{Complaint, Job, Step};
use crate::duties::files;
use crate::{clock, regular_file};

/// How often the configuration and running looks are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// The longest look at one set.
const LIMIT: Duration = Duration::from_secs(60);
/// Files of one set.
const MAX_FILES: usize = 2000;
/// Certificates of one set: each is a few series.
const MAX_CERTIFICATES: usize = 2000;
/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// A file and a certificate in it.
pub(super) type Found = Result<Vec<(String, Certificate)>, String>;

/// Reads the certificates of the configuration in force, until `shutdown`.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = read_for_ever(&app) => {}
    }
}

async fn read_for_ever(app: &App) {
    let mut jobs: HashMap<(String, String), (Job<Found>, Complaint)> = HashMap::new();
    loop {
        let config = app.config();
        jobs.retain(|(name, path), _| config.certificates.iter().any(|set| set.name == *name && set.path == *path));
        app.certificates().keep(&config.certificates);
        for set in &config.certificates {
            let (job, complaint) = jobs.entry((set.name.clone(), set.path.clone())).or_default();
            let asked = set.clone();
            let found = match job.step(set.interval, LIMIT, move || look(&asked)).await {
                Step::Nothing => continue,
                Step::Done(found) => found,
                Step::Late => Err(format!("not done after {} s: is the file system there?", LIMIT.as_secs())),
                Step::Broken => Err("reading was interrupted".to_owned()),
            };
            let why = found.as_ref().err().map(String::as_str);
            if complaint.is_new(why) {
                tracing::warn!(
                    certificates = set.name,
                    why,
                    "certificates not read; what was known of them is no longer shown"
                );
            }
            app.certificates().found(&set.name, found, clock::whole_seconds());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// One file that cannot be read leaves the whole set unknown: it may hold the one that ends first. So does a set in which there is none: a
/// pattern with a typing error watches nothing, and a file that went away is not one that is well.
fn look(set: &CertificateSet) -> Found {
    let password = match &set.password {
        None => None,
        Some(source) => Some(source.read().map_err(|error| error.to_string())?),
    };
    let password = password.as_ref().map_or("", |secret| secret.expose());
    let mut all: Vec<(String, Certificate)> = Vec::new();
    let mut files = 0;
    for path in files::matching(&set.path, MAX_FILES)? {
        if path.is_dir() {
            if path.to_str() == Some(&set.path) {
                return Err(format!(
                    "{0} is a folder; write {0}/* for the files in it",
                    set.path.trim_end_matches('/')
                ));
            }
            continue;
        }
        files += 1;
        let shown = path.display().to_string();
        let bytes = regular_file::read(&path, MAX_BYTES).map_err(|error| format!("cannot read {shown}: {error}"))?;
        for certificate in read(&bytes, password).map_err(|why| format!("{shown} {why}"))? {
            add(&mut all, &shown, certificate);
        }
        if all.len() > MAX_CERTIFICATES {
            return Err(format!("{} has more than {MAX_CERTIFICATES} certificates", set.path));
        }
    }
    match (all.is_empty(), files) {
        (true, 0) => return Err(format!("no file is or matches {}", set.path)),
        (true, _) => return Err(format!("no file of {files} that are or match {} holds a certificate", set.path)),
        (false, _) => mark_authorities(all.iter_mut().map(|(_, certificate)| certificate)),
    }
    Ok(all)
}

/// A chain may hold one twice. Two that only differ in what no label tells (an issuer's numbers used by another, too) are shown as
/// one, the one that ends first: a series twice on a page spoils it.
fn add(all: &mut Vec<(String, Certificate)>, file: &str, certificate: Certificate) {
    let known = all.iter_mut().find(|(its_file, known)| {
        its_file == file && known.subject == certificate.subject && known.serial == certificate.serial
    });
    match known {
        None => all.push((file.to_owned(), certificate)),
        Some((_, known)) if certificate.not_after < known.not_after => *known = certificate,
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_certificates_of_a_file_have_the_same_labels_and_the_first_to_end_is_shown() {
        let certificate = |serial: &str, not_after| Certificate {
            subject: "CN=a".to_owned(),
            serial: serial.to_owned(),
            not_after,
            ..Certificate::default()
        };
        let mut all = Vec::new();
        for (file, serial, not_after) in
            [("/a", "01", 20), ("/a", "01", 20), ("/a", "01", 10), ("/a", "01", 30), ("/a", "02", 5), ("/b", "01", 40)]
        {
            add(&mut all, file, certificate(serial, not_after));
        }
        let shown: Vec<_> = all.iter().map(|(file, of)| (file.as_str(), of.serial.as_str(), of.not_after)).collect();
        assert_eq!(shown, [("/a", "01", 10), ("/a", "02", 5), ("/b", "01", 40)]);
    }

    #[test]
    fn a_set_without_any_certificate_is_unknown_and_says_what_there_is() {
        let folder = tempfile::tempdir().unwrap();
        let set = |pattern: &str| CertificateSet {
            name: "a".to_owned(),
            path: folder.path().join(pattern).display().to_string(),
            password: None,
            renew_before: Duration::ZERO,
            renew_every: None,
            interval: LOOK,
        };
        std::fs::create_dir(folder.path().join("folder.pem")).unwrap();
        for pattern in ["*.pem", "gone.crt"] {
            let why = look(&set(pattern)).unwrap_err();
            assert!(why.contains("no file is or matches") && why.ends_with(pattern), "{why}");
        }
        let why = look(&set("folder.pem")).unwrap_err();
        assert!(why.contains("folder.pem is a folder; write "), "{why}");
        std::fs::write(folder.path().join("key.pem"), rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
        let why = look(&set("*.pem")).unwrap_err();
        assert!(why.contains("no file of 1 that are or match"), "{why}");
    }

    #[test]
    fn what_is_renewed_yearly_is_who_logs_in_and_not_the_authority() {
        let set = |days| CertificateSet {
            name: "a".to_owned(),
            path: "/a".to_owned(),
            password: None,
            renew_before: Duration::ZERO,
            renew_every: Some(Duration::from_secs(days)),
            interval: LOOK,
        };
        for (authority, every, due) in [(false, 10, 15), (false, 100, 50), (true, 10, 50)] {
            let certificate = Certificate { not_before: 5, not_after: 50, authority, ..Certificate::default() };
            assert_eq!(set(every).due(&certificate), due, "{authority} {every}");
        }
    }
}
