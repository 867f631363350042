//! A private PostgreSQL: its own folder, free port, TLS certificate and roles; gone when the test process is.

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use super::certs::Certs;
use tokio::time::Instant;

/// The password of every role that has one.
pub(crate) const PASSWORD: &str = "s3cret-of-the-test";

/// Lives and dies with this process: the server ends when the pipe to its keeper is closed, however that happens.
const KEEPER: &str = r#"
"$1/postgres" -D "$2/data" >"$2/log" 2>&1 </dev/null &
server=$!
read -r _
kill -INT $server
wait $server
rm -rf "$2"
"#;

/// One server.
pub(crate) struct Postgres {
    keeper: Child,
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    /// The server's certificate is for `localhost`.
    pub(crate) certs: Certs,
}

impl Postgres {
    /// The server most tests share; started by the first of them.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A server of one's own, for what would disturb others.
    pub(crate) fn start() -> Self {
        // Between the choice of a port and its use another process may take it.
        (0..3).find_map(|_| Self::try_start()).expect("PostgreSQL started")
    }

    fn try_start() -> Option<Self> {
        let bin = binaries();
        let folder = tempfile::Builder::new().prefix("sla-pg-").tempdir().unwrap().keep();
        let data = folder.join("data");
        let as_postgres = running_as_root();
        if as_postgres {
            run(Command::new("chown").arg("postgres:").arg(&folder));
        }
        run(unprivileged(bin.join("initdb"), &folder)
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(&data));
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let certs = Certs::of(&["localhost"]);
        let secret = data.join("server.key");
        std::fs::write(data.join("server.crt"), &certs.certificate).unwrap();
        std::fs::write(&secret, &certs.key).unwrap();
        run(Command::new("chmod").arg("600").arg(&secret));
        if as_postgres {
            run(Command::new("chown").arg("postgres:").arg(&secret).arg(data.join("server.crt")));
        }
        let listen = if has_ipv6() { "127.0.0.1,::1" } else { "127.0.0.1" };
        append(
            &data.join("postgresql.conf"),
            &format!(
                "port = {port}\nlisten_addresses = '{listen}'\nunix_socket_directories = '{}'\nfsync = off\nssl = on\n\
                 ssl_min_protocol_version = 'TLSv1.2'\npassword_encryption = 'scram-sha-256'\nmax_connections = 40\n\
                 log_statement = all\nlog_line_prefix = '%a '\n",
                folder.display()
            ),
        );
        std::fs::write(
            data.join("pg_hba.conf"),
            "local   all all               trust\n\
             host    all postgres 0.0.0.0/0 trust\n\
             hostssl all tls_only 0.0.0.0/0 scram-sha-256\n\
             host    all old      0.0.0.0/0 md5\n\
             host    all clear    0.0.0.0/0 password\n\
             host    all nobody   0.0.0.0/0 reject\n\
             host    all foreign  0.0.0.0/0 ident\n\
             hostnossl all no_tls 0.0.0.0/0 scram-sha-256\n\
             host    all monitor,crowd all scram-sha-256\n",
        )
        .unwrap();
        let roles = ["monitor", "tls_only", "clear", "nobody", "foreign", "no_tls"];
        let mut sql: String = roles.iter().map(|r| format!("CREATE ROLE {r} LOGIN PASSWORD '{PASSWORD}';\n")).collect();
        sql += &format!("CREATE ROLE crowd LOGIN PASSWORD '{PASSWORD}' CONNECTION LIMIT 0;\n");
        sql += &format!("SET password_encryption = 'md5';\nCREATE ROLE old LOGIN PASSWORD '{PASSWORD}';\n");
        sql += "CREATE TABLE t (n int);\nGRANT ALL ON t TO monitor;\nCREATE TABLE forbidden (n int);\n";
        let mut single = unprivileged(bin.join("postgres"), &folder)
            .args(["--single", "-D"])
            .arg(&data)
            .arg("postgres")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        single.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        assert!(single.wait().unwrap().success(), "roles created");
        let keeper = unprivileged("sh".into(), &folder)
            .args(["-c", KEEPER, "keeper"])
            .args([&bin, &folder])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let server = Self { keeper, folder, port, certs };
        server.wait_until_ready().then_some(server)
    }

    /// What pg_ctl looks at, too: the last line of the pid file says how far the server is.
    fn wait_until_ready(&self) -> bool {
        let patience = Instant::now() + Duration::from_secs(60);
        while Instant::now() < patience {
            let state = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
            if state.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        println!("PostgreSQL did not start:\n{}", self.log());
        false
    }

    /// What the server logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// A file with `password` in it, for `password_file`.
    pub(crate) fn password_file(&self, password: &str) -> PathBuf {
        let path = self.certs.ca_file().with_file_name(format!("{password}.pass"));
        // At once: other tests read the file of that name, and found it empty while it was written.
        let whole = tempfile::NamedTempFile::new_in(path.parent().unwrap()).unwrap();
        std::fs::write(whole.path(), format!("{password}\n")).unwrap();
        whole.persist(&path).unwrap();
        path
    }

    /// The first column of the first row of `query`, asked as superuser.
    pub(crate) async fn ask(&self, query: &str) -> Option<String> {
        let settings = format!("host=127.0.0.1 port={} user=postgres application_name=test", self.port);
        let (client, connection) = tokio_postgres::connect(&settings, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.simple_query(query).await.unwrap().iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(ToOwned::to_owned),
            _ => None,
        })
    }

    /// Stops the server and waits until it is gone.
    pub(crate) fn stop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where Debian and others keep `postgres` and `initdb`; the newest version.
fn binaries() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|bin| bin.join("postgres").is_file())
        .collect();
    found.sort_by_key(|bin| bin.iter().rev().nth(1).and_then(|v| v.to_str()?.parse::<u32>().ok()));
    let on_path = || {
        let paths = std::env::var_os("PATH")?;
        std::env::split_paths(&paths).find(|path| path.join("postgres").is_file())
    };
    found.pop().or_else(on_path).expect("PostgreSQL is missing: apt-get install postgresql")
}

fn running_as_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// PostgreSQL refuses to run as root.
fn unprivileged(program: PathBuf, folder: &Path) -> Command {
    let mut command = if running_as_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    // The test's own folder may not be readable for that user.
    command.current_dir(folder);
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn append(path: &Path, text: &str) {
    std::fs::OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// Whether this machine has an IPv6 loopback address.
pub(crate) fn has_ipv6() -> bool {
    std::net::TcpListener::bind("[::1]:0").is_ok()
}
