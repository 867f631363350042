//! Grafana for `make run`, where one is installed: this repository's dashboards on this run's Prometheus, for anybody on this
//! machine to look at, without a login.
//!
//! Everything is given by files in the run's folder and by environment variables (`GF_…`), of which the user's own go
//! first. Not for installing Grafana, nor for production: docker-compose.yml shows the latter.

use std::path::{Path, PathBuf};

use super::{Files, Ports, configs};

/// Where every Grafana package keeps its files.
const PACKAGED: &str = "/usr/share/grafana";

/// How links of alerts to dashboards begin as shipped (docs/rules.md).
const LINKS: &str = "https://example.com/grafana/d/";

/// How to get it, in one line.
pub(super) const MISSING: &str = "without dashboards: `grafana` is not on the PATH (grafana.com/grafana/download, any from 11 on; or: docker compose up)";

/// The program, and the folder of its pages and defaults where that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grafana {
    program: PathBuf,
    home: Option<PathBuf>,
}

/// The one on the PATH.
pub(super) fn installed() -> Option<Grafana> {
    let path = std::env::var_os("PATH")?;
    let program = std::env::split_paths(&path).map(|folder| folder.join("grafana")).find(|file| file.is_file())?;
    Some(Grafana::at(&program, Path::new(PACKAGED)))
}

impl Grafana {
    /// `program` on the PATH: a link into an unpacked archive, or a package's wrapper, which reads /etc/grafana and may not; the
    /// program behind it is in `packaged`.
    fn at(program: &Path, packaged: &Path) -> Self {
        let real = program.canonicalize().unwrap_or_else(|_| program.to_owned());
        let is_home = |folder: &PathBuf| folder.join("conf/defaults.ini").is_file();
        if let Some(home) = real.ancestors().skip(1).take(2).map(Path::to_owned).find(is_home) {
            return Self { program: real, home: Some(home) };
        }
        let behind = packaged.join("bin/grafana");
        if behind.is_file() && is_home(&packaged.to_owned()) {
            return Self { program: behind, home: Some(packaged.to_owned()) };
        }
        Self { program: program.to_owned(), home: None }
    }

    pub(super) fn program(&self) -> PathBuf {
        self.program.clone()
    }

    pub(super) fn arguments(&self) -> Vec<String> {
        let home = self.home.as_ref().map(|home| format!("--homepath={}", home.display()));
        std::iter::once("server".to_owned()).chain(home).collect()
    }
}

/// Its environment, without what `is_set` by the user.
pub(super) fn environment(
    repository: &Path,
    folder: &Path,
    port: u16,
    is_set: impl Fn(&str) -> bool,
) -> Vec<(&'static str, String)> {
    let data = folder.join("grafana");
    let path = |name: &str| data.join(name).display().to_string();
    let dashboards = repository.join("dashboards");
    let all = [
        ("GF_SERVER_HTTP_ADDR", "127.0.0.1".to_owned()),
        ("GF_SERVER_HTTP_PORT", port.to_string()),
        ("GF_SERVER_DOMAIN", "127.0.0.1".to_owned()),
        ("GF_PATHS_DATA", path("data")),
        ("GF_PATHS_LOGS", path("logs")),
        ("GF_PATHS_PLUGINS", path("plugins")),
        ("GF_PATHS_PROVISIONING", path("provisioning")),
        ("GF_LOG_MODE", "console".to_owned()),
        ("GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH", dashboards.join("sla-overview.json").display().to_string()),
        // Anybody on this machine looks; nobody changes.
        ("GF_AUTH_ANONYMOUS_ENABLED", "true".to_owned()),
        ("GF_AUTH_ANONYMOUS_ORG_ROLE", "Viewer".to_owned()),
        ("GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION", "true".to_owned()),
        ("GF_USERS_ALLOW_SIGN_UP", "false".to_owned()),
        // Alerts are Prometheus'.
        ("GF_UNIFIED_ALERTING_ENABLED", "false".to_owned()),
        // Nothing is fetched from or told to anybody outside.
        ("GF_ANALYTICS_REPORTING_ENABLED", "false".to_owned()),
        ("GF_ANALYTICS_CHECK_FOR_UPDATES", "false".to_owned()),
        ("GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES", "false".to_owned()),
        ("GF_PLUGINS_PREINSTALL_DISABLED", "true".to_owned()),
        ("GF_NEWS_NEWS_FEED_ENABLED", "false".to_owned()),
    ];
    all.into_iter().filter(|(name, _)| !is_set(name)).collect()
}

/// Writes the shipped provisioning for this run's Prometheus and this repository's dashboards into `folder`, and alerts that lead
/// to this run's Grafana.
///
/// # Errors
/// With the file, and what it no longer has that was to be replaced.
pub(super) fn provision(repository: &Path, folder: &Path, files: &Files, ports: Ports) -> Result<(), String> {
    let shipped = repository.join("deploy/grafana/provisioning");
    let to = folder.join("grafana/provisioning");
    let prometheus = format!("127.0.0.1:{}", ports.prometheus);
    // Values of these files are looked through for variables: a dollar sign is written twice.
    let dashboards = format!("path: {}/dashboards", repository.display().to_string().replace('$', "$$"));
    for (kind, name, old, new) in [
        ("datasources", "prometheus.yml", "prometheus:9090", prometheus.as_str()),
        ("dashboards", "sla.yml", "path: /dashboards", dashboards.as_str()),
    ] {
        let to = to.join(kind);
        std::fs::create_dir_all(&to).map_err(|error| format!("{}: {error}", to.display()))?;
        configs::copy(&shipped.join(kind).join(name), &to, name, &[(old, new)])?;
    }
    let (shipped, rules) = (repository.join("alert-rules"), folder.join("alert-rules"));
    std::fs::create_dir_all(&rules).map_err(|error| format!("{}: {error}", rules.display()))?;
    let list = std::fs::read_dir(&shipped).map_err(|error| format!("{}: {error}", shipped.display()))?;
    for file in list.flatten() {
        // A file of rules need not have such a link.
        let text =
            std::fs::read_to_string(file.path()).map_err(|error| format!("{}: {error}", file.path().display()))?;
        let to = rules.join(file.file_name());
        let ours = text.replace(LINKS, &format!("http://127.0.0.1:{}/d/", ports.grafana));
        std::fs::write(&to, ours).map_err(|error| format!("{}: {error}", to.display()))?;
    }
    let (old, new) = (format!("{}/*.yml", shipped.display()), format!("{}/*.yml", rules.display()));
    configs::copy(&files.prometheus, folder, "prometheus.yml", &[(&old, &new)])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }

    #[test]
    fn an_unpacked_archive_a_package_and_a_lone_program_are_each_found_with_their_home() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().canonicalize().unwrap().join(path);
        let (archive, packaged) = (at("grafana-13.2.3"), at("usr/share/grafana"));
        for home in [&archive, &packaged] {
            file(&home.join("bin/grafana"));
            file(&home.join("conf/defaults.ini"));
        }
        let (link, wrapper) = (at("bin/grafana"), at("usr/sbin/grafana"));
        file(&wrapper);
        std::fs::create_dir_all(at("bin")).unwrap();
        std::os::unix::fs::symlink(archive.join("bin/grafana"), &link).unwrap();
        for (program, packaged, real, home) in [
            (&link, &packaged, archive.join("bin/grafana"), Some(&archive)),
            (&wrapper, &packaged, packaged.join("bin/grafana"), Some(&packaged)),
            (&wrapper, &at("nowhere"), wrapper.clone(), None),
        ] {
            let found = Grafana::at(program, packaged);
            assert_eq!(found, Grafana { program: real, home: home.cloned() });
            let expected: Vec<String> = home.iter().map(|home| format!("--homepath={}", home.display())).collect();
            assert_eq!(found.arguments(), [vec!["server".to_owned()], expected].concat());
        }
    }

    #[test]
    fn it_listens_on_loopback_and_what_the_user_set_stays() {
        let of = |set: &str| environment(Path::new("/repo"), Path::new("/run"), 3001, |name| name == set);
        let all = of("");
        for (name, value) in [
            ("GF_SERVER_HTTP_ADDR", "127.0.0.1"),
            ("GF_SERVER_HTTP_PORT", "3001"),
            ("GF_PATHS_DATA", "/run/grafana/data"),
            ("GF_AUTH_ANONYMOUS_ORG_ROLE", "Viewer"),
            ("GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH", "/repo/dashboards/sla-overview.json"),
        ] {
            assert!(all.contains(&(name, value.to_owned())), "{name}");
        }
        let names = |set: &str| of(set).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert!(!names("GF_AUTH_ANONYMOUS_ORG_ROLE").contains(&"GF_AUTH_ANONYMOUS_ORG_ROLE"));
    }

    #[test]
    fn the_shipped_provisioning_is_pointed_at_this_run() {
        let folder = tempfile::tempdir().unwrap();
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let ports =
            Ports { demo: 1, demo_tls: 8, exporter: 2, prometheus: 3, alertmanager: 4, smtp: 5, mail: 6, grafana: 7 };
        let files = configs::write(&repository, folder.path(), ports).unwrap();
        provision(&repository, folder.path(), &files, ports).unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(read("grafana/provisioning/datasources/prometheus.yml").contains("url: http://127.0.0.1:3\n"));
        assert!(read("alert-rules/functions.yml").contains("dashboard_url: http://127.0.0.1:7/d/sla-function?"));
        assert!(read("prometheus.yml").contains(&format!("- {}/alert-rules/*.yml\n", folder.path().display())));
        assert!(
            read("grafana/provisioning/dashboards/sla.yml")
                .contains(&format!("path: {}/dashboards\n", repository.display()))
        );
    }
}
