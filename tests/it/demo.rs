//! The demo's configuration beside the shipped contract, and its clicks in a real PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::Command;

use sla_demo::service::{Clicks, Service};
use sla_demo::web;
use sla_tests::program::{Program, on_path};
use sla_tests::{eventually, free_port, http, repository};

fn contract(file: &str) -> serde_yaml::Value {
    let text = std::fs::read_to_string(repository().join(file)).unwrap();
    let whole: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
    whole.get("contract").unwrap_or_else(|| panic!("{file} has no contract")).clone()
}

/// The demo promises what the shipped contract promises: one is not changed without the other.
#[test]
fn the_demo_has_the_shipped_contract() {
    assert_eq!(contract("deploy/demo/sla.yml"), contract("config/sla.yml"));
}

/// Clicks are counted in the database, its loss takes the capability down, and its return brings it back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clicks_are_counted_in_postgresql() {
    let folder = tempfile::tempdir().unwrap();
    let (data, port) = (folder.path().join("data"), free_port());
    give_to_postgres(folder.path());
    let mut initdb = as_postgres("initdb");
    initdb.extend(["--username=demo", "--auth=trust", "--no-sync", "-D"].map(str::to_owned));
    initdb.push(data.display().to_string());
    let done = Command::new(&initdb[0]).args(&initdb[1..]).current_dir(folder.path()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let server = start_postgres(folder.path(), &data, port);

    let listener = web::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let demo = listener.local_addr().unwrap().port();
    let clicks = Clicks::in_postgres(format!("postgresql://demo@127.0.0.1:{port}/postgres"));
    tokio::spawn(web::serve(listener, Service::new(clicks)));
    eventually("the database counts", async || http::get(demo, "/health/click_count").await).await;
    for _ in 0..3 {
        assert_eq!(http::get_with(demo, "/c/campaign-1", "").await.unwrap().status, 302);
    }
    assert_eq!(http::get(demo, "/c/campaign-1/count").await.unwrap(), "3\n");

    drop(server);
    // Its session may outlive the server by a moment: a click then would be counted.
    eventually("the database is gone", async || match http::get_with(demo, "/c/campaign-1/count", "").await {
        Ok(answer) if answer.status == 503 => Ok(()),
        Ok(answer) => Err(format!("status {}", answer.status)),
        Err(why) => Err(why),
    })
    .await;
    let without = http::get_with(demo, "/c/campaign-1", "").await.unwrap();
    assert_eq!((without.status, without.body.as_str()), (503, "clicks cannot be counted now\n"));
    let _server = start_postgres(folder.path(), &data, port);
    eventually("the database counts again", async || http::get(demo, "/health/click_count").await).await;
    assert_eq!(http::get(demo, "/c/campaign-1/count").await.unwrap(), "3\n");
}

pub(crate) fn start_postgres(folder: &Path, data: &Path, port: u16) -> Program {
    let mut command = as_postgres("postgres");
    command.extend(["-D".to_owned(), data.display().to_string(), "-p".to_owned(), port.to_string()]);
    command.extend(["-h", "127.0.0.1", "-F", "-k", ""].map(str::to_owned));
    Program::start("postgres", Path::new(&command[0]), &command[1..], folder)
}

/// The command line of a program of PostgreSQL, which refuses to run as root.
pub(crate) fn as_postgres(program: &str) -> Vec<String> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found: Option<PathBuf> =
        versions.map(|version| version.path().join("bin").join(program)).find(|path| path.is_file());
    let program = found.unwrap_or_else(|| on_path(&[program])).display().to_string();
    if is_root() {
        let change = ["--reuid=postgres", "--regid=postgres", "--clear-groups"].map(str::to_owned);
        [on_path(&["setpriv"]).display().to_string()].into_iter().chain(change).chain([program]).collect()
    } else {
        vec![program]
    }
}

pub(crate) fn give_to_postgres(folder: &Path) {
    if is_root() {
        assert!(Command::new("chown").arg("postgres:").arg(folder).status().unwrap().success());
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
