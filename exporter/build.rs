//! What `--version` and `sla_exporter_build_info` say about the build.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=SLA_EXPORTER_REVISION");
    let rustc = output(&env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned()), &["--version"]);
    println!("cargo:rustc-env=SLA_EXPORTER_RUSTC={}", rustc.unwrap_or_else(|| "unknown".to_owned()));
    println!("cargo:rustc-env=SLA_EXPORTER_TARGET={}", env::var("TARGET").unwrap_or_default());
    println!("cargo:rustc-env=SLA_EXPORTER_REVISION={}", revision());
}

/// From the environment where there is no repository (container builds); from git in release builds only,
/// so that a commit does not rebuild everything for who is developing.
fn revision() -> String {
    if let Ok(given) = env::var("SLA_EXPORTER_REVISION")
        && !given.is_empty()
    {
        return given;
    }
    if env::var("PROFILE").as_deref() != Ok("release") {
        return "unknown".to_owned();
    }
    if let Some(head) = output("git", &["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={head}");
    }
    output("git", &["describe", "--always", "--dirty", "--abbrev=12"]).unwrap_or_else(|| "unknown".to_owned())
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
