//! The `clamd` prober against the real clamd, with a signature of the test virus made for the test, over TCP and its Unix socket;
//! and against peers that answer as a clamd in trouble does, or as none.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sla_exporter::probe::{Metric, Reason, Run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::time::Instant;

use crate::reasons::case;
use crate::support::{closed, documented, failure, info, module, run, succeeded, value};

/// MD5 and length of the EICAR test file, as ClamAV's own signatures have them.
const EICAR: &str = "44d88612fea8a8f36de82e1278abb02f:68:Test.Eicar\n";
/// Of nothing there is: clamd does not start without any.
const OTHER: &str = "00000000000000000000000000000000:68:Test.Other\n";

async fn probe(clamd: &str, target: &str) -> Run {
    run(&module(&format!("{{prober: clamd, timeout: 5s, clamd: {clamd}}}")), target).await
}

/// A running clamd that ends with the test.
struct Clamd {
    child: Child,
    folder: tempfile::TempDir,
    address: SocketAddr,
}

impl Drop for Clamd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Clamd {
    async fn start(signatures: &str, options: &str) -> Self {
        Self::start_with(&[("test.hdb", signatures.as_bytes())], options).await
    }

    async fn start_with(databases: &[(&str, &[u8])], options: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // clamd gives up root where it is started as root, and must reach its files all the same.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let root = folder.path().display();
        std::fs::create_dir(folder.path().join("db")).unwrap();
        for (name, bytes) in databases {
            std::fs::write(folder.path().join("db").join(name), bytes).unwrap();
        }
        let free = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let user = if rustix::process::geteuid().is_root() { "User root\n" } else { "" };
        let text = format!(
            "DatabaseDirectory {root}/db\nLocalSocket {root}/clamd.ctl\nTCPAddr 127.0.0.1\nTCPSocket {}\nForeground yes\n\
             LogFile {root}/log\nTemporaryDirectory {root}\nSelfCheck 0\n{user}{options}\n",
            address.port()
        );
        let config = folder.path().join("clamd.conf");
        std::fs::write(&config, text).unwrap();
        let program = ["/usr/sbin/clamd", "/usr/local/sbin/clamd", "/usr/bin/clamd"]
            .into_iter()
            .find(|path| std::path::Path::new(path).exists())
            .expect("no clamd; `deploy/native/install.sh test` installs clamav-daemon");
        let child = Command::new(program)
            .arg("--config-file")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut clamd = Self { child, folder, address };
        for _ in 0..600 {
            let there = TcpStream::connect(clamd.address).await.is_ok();
            if there && clamd.socket().exists() {
                return clamd;
            }
            assert_eq!(clamd.child.try_wait().unwrap(), None, "clamd ended: {}", clamd.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("clamd did not start: {}", clamd.log())
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("clamd.ctl")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

/// Daily signatures as clamd takes them unsigned: a head with their number and time, and an archive of what it names.
fn daily(published: i64) -> Vec<u8> {
    let head = format!("ClamAV-VDB:02 Nov 2026 08-40 +0000:27105:1:90:{}:x:test:{published}", "0".repeat(32));
    let digest = sha256(OTHER.as_bytes());
    let list = format!("{head}\ndaily.hdb:{}:{digest}\n", OTHER.len());
    let mut file = format!("{head:512}").into_bytes();
    for (name, content) in [("COPYING", "x"), ("daily.info", &list), ("daily.hdb", OTHER)] {
        // A tar's head: name, mode, owners, length, time, sum, kind, all at their places.
        let mut block = [0_u8; 512];
        let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
        put(0, name);
        put(100, "0000644\x000000000\x000000000\0");
        put(124, &format!("{:011o}\0", content.len()));
        put(136, "00000000000\0        0");
        put(257, "ustar\x0000");
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        file.extend_from_slice(&block);
        file.extend_from_slice(content.as_bytes());
        file.resize(file.len().next_multiple_of(512), 0);
    }
    file.resize(file.len() + 1024, 0);
    file
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// C2.6.4
#[tokio::test]
async fn the_real_clamd_says_of_when_its_daily_signatures_are() {
    let published = 1_793_608_855;
    let clamd = Clamd::start_with(&[("test.hdb", EICAR.as_bytes()), ("daily.cud", &daily(published))], "").await;
    let run = probe("{}", &clamd.socket().display().to_string()).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::ClamdSignatureTimestamp), Some(published as f64), "{}", clamd.log());
    assert_eq!(value(&run, Metric::ClamdSignatureVersion), Some(27_105.0));
}

/// C2.6.4
#[tokio::test]
async fn the_real_clamd_finds_the_test_virus_over_tcp_and_its_socket() {
    let clamd = Clamd::start(EICAR, "").await;
    for target in [clamd.address.to_string(), clamd.socket().display().to_string()] {
        let run = probe("{}", &target).await;
        succeeded(&run);
        assert_eq!(value(&run, Metric::ClamdTestFound), Some(1.0), "{target}");
        let told = info(&run, Metric::ClamdInfo).unwrap();
        assert!(told.starts_with("version=\"") && told.ends_with("signatures=\"\""), "{told}");
        // It has no daily signatures, so it does not say of when they are.
        assert_eq!(value(&run, Metric::ClamdSignatureTimestamp), None);
        assert_eq!(value(&run, Metric::ClamdSignatureMaxAge), Some(259_200.0));
    }
    assert!(clamd.log().contains("Test.Eicar"), "{}", clamd.log());
}

#[tokio::test]
async fn a_clamd_that_calls_the_test_virus_clean_is_a_failure_unless_it_is_not_asked() {
    let clamd = Clamd::start(OTHER, "").await;
    let target = clamd.address.to_string();
    let run = probe("{}", &target).await;
    let (reason, detail) = failure(&run);
    assert_eq!(reason, Reason::Body, "{detail}");
    assert!(detail.contains("viruses pass"), "{detail}");
    assert_eq!(value(&run, Metric::ClamdTestFound), Some(0.0));
    let run = probe("{scan_test_virus: false}", &target).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::ClamdTestFound), None);
}

#[tokio::test]
async fn a_stream_that_is_larger_than_clamd_takes_is_said_to_be() {
    let clamd = Clamd::start(EICAR, "StreamMaxLength 50").await;
    let run = probe("{}", &clamd.address.to_string()).await;
    let (reason, detail) = failure(&run);
    assert_eq!(reason, Reason::TooLarge, "{detail}");
    assert_eq!(value(&run, Metric::ClamdTestFound), None);
}

/// A server on loopback that says `answers` to one connection after the other, each after it has heard something; the last one
/// again and again. `None`: it hangs.
async fn stand_in(answers: &'static [Option<&'static [u8]>]) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        for number in 0.. {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let _ = stream.read(&mut [0; 512]).await;
            match answers[number.min(answers.len() - 1)] {
                Some(answer) => drop(stream.write_all(answer).await),
                None => held.push(stream),
            }
        }
    });
    address.to_string()
}

const PONG: Option<&[u8]> = Some(b"PONG\0");
const VERSION: Option<&[u8]> = Some(b"ClamAV 1.0.7/27105/Mon Nov  2 08:40:55 2026\0");

#[tokio::test]
async fn the_age_of_signatures_is_shown_in_the_zone_of_clamds_host() {
    let target = stand_in(&[PONG, VERSION, Some(b"stream: Eicar-Signature FOUND\0")]).await;
    let run = probe("{timezone: Asia/Tokyo, signature_max_age: 1d}", &target).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::ClamdSignatureTimestamp), Some(1_793_608_855.0 - 9.0 * 3600.0));
    assert_eq!(value(&run, Metric::ClamdSignatureVersion), Some(27105.0));
    assert_eq!(value(&run, Metric::ClamdSignatureMaxAge), Some(86_400.0));
    assert_eq!(info(&run, Metric::ClamdInfo), Some(r#"version="1.0.7",signatures="27105""#));
}

#[tokio::test]
async fn peers_in_trouble_fail_with_their_reason_and_in_time() {
    let endless: &'static [u8] = &[b'x'; 100_000];
    for (answers, reason, found) in [
        // The text is not a test virus found, whatever it says.
        (vec![PONG, VERSION, Some(b"INSTREAM size limit exceeded. ERROR\0".as_slice())], Reason::TooLarge, None),
        (vec![PONG, VERSION, Some(b"INSTREAM: Can't write to temporary file. ERROR\0")], Reason::Body, None),
        (vec![PONG, VERSION, Some(b"stream: OK\0")], Reason::Body, Some(0.0)),
        (vec![PONG, VERSION, None], Reason::Timeout, None),
        (vec![PONG, VERSION, Some(b"")], Reason::Reset, None),
        (vec![PONG, Some(b"UNKNOWN COMMAND\0")], Reason::Protocol, None),
        (vec![PONG, Some(endless)], Reason::TooLarge, None),
        (vec![Some(b"SSH-2.0-OpenSSH_9.2p1\r\n")], Reason::Protocol, None),
        (vec![Some(b"\xff\xfe\x00\x01")], Reason::Protocol, None),
        (vec![Some(b"HTTP/1.1 400 Bad Request\r\n\r\n")], Reason::Protocol, None),
        (vec![None], Reason::Timeout, None),
        (vec![Some(b"")], Reason::Reset, None),
    ] {
        let answers: &'static [Option<&'static [u8]>] = answers.leak();
        let target = stand_in(answers).await;
        let began = Instant::now();
        let run = run(&module("{prober: clamd, timeout: 2s}"), &target).await;
        assert!(began.elapsed() < Duration::from_secs(10), "took {:?}", began.elapsed());
        let (failed, detail) = failure(&run);
        assert_eq!(failed, reason, "{detail}");
        assert!(detail.len() < 400, "{detail}");
        assert_eq!(value(&run, Metric::ClamdTestFound), found, "{detail}");
    }
}

#[tokio::test]
async fn nobody_there_is_refused_on_either_way() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join("left.ctl");
    drop(UnixListener::bind(&left).unwrap());
    for target in
        [address.to_string(), left.display().to_string(), folder.path().join("none.ctl").display().to_string()]
    {
        let run = probe("{}", &target).await;
        assert_eq!(failure(&run).0, Reason::Refused, "{target}");
        // What the module says is known all the same.
        assert_eq!(value(&run, Metric::ClamdSignatureMaxAge), Some(259_200.0));
    }
}

/// Every reason of the page.
pub(crate) async fn provoke() {
    crate::reasons::humbly();
    let folder = tempfile::tempdir().unwrap();
    let forbidden = folder.path().join("forbidden.ctl");
    let _listener = UnixListener::bind(&forbidden).unwrap();
    std::fs::set_permissions(&forbidden, std::fs::Permissions::from_mode(0o000)).unwrap();
    let gone = closed();
    let none = folder.path().join("none.ctl").display().to_string();
    let one = async |answer: Option<&'static [u8]>| stand_in(vec![answer].leak()).await;
    let scan = async |answer: &'static [u8]| stand_in(vec![PONG, VERSION, Some(answer)].leak()).await;
    let cases = [
        case(Reason::Dns, &["no-such-host.invalid"], "{}", "no-such-host.invalid:3310"),
        case(Reason::Refused, &["refused"], "{}", gone.clone()),
        case(Reason::Refused, &["none.ctl"], "{}", none),
        case(Reason::Connect, &["192.0.2.1"], "{source_ip_address: 192.0.2.1}", gone),
        case(Reason::Reset, &["closed"], "{}", one(Some(b"")).await),
        case(Reason::Permission, &["forbidden.ctl"], "{}", forbidden.display().to_string()),
        case(Reason::Timeout, &["2s"], "{}", one(None).await),
        case(Reason::Protocol, &["clamd"], "{}", one(Some(b"SSH-2.0-OpenSSH_9.2p1\r\n")).await),
        case(Reason::Body, &["viruses pass"], "{}", scan(b"stream: OK\0").await),
        case(Reason::Body, &["temporary file"], "{}", scan(b"INSTREAM: Can't write to temporary file. ERROR\0").await),
        case(Reason::TooLarge, &["no stream of 68 bytes"], "{}", scan(b"INSTREAM size limit exceeded. ERROR\0").await),
    ];
    crate::reasons::check("clamd", &cases).await;
}

#[test]
fn what_the_documentation_shows_is_accepted() {
    assert!(!documented("clamd.md").is_empty());
}
