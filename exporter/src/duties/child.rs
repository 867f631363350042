//! A program that is asked something: its answer, bounded in time and length. It is ended when it takes too long or says too much.
//!
//! Not for: programs that go on.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// How much of what it complains of is kept, in bytes.
const MAX_COMPLAINT: u64 = 500;

/// What `command` says on standard output, at most `most` bytes, and whether there was more; `name` is said in errors.
///
/// # Errors
/// When it cannot be run, fails or takes longer than `patience`.
pub(crate) async fn output(
    mut command: Command,
    name: &str,
    patience: Duration,
    most: u64,
) -> io::Result<(Vec<u8>, bool)> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    tokio::time::timeout(patience, run(command, name, most))
        .await
        .map_err(|_| io::Error::other(format!("{name} took longer than {}s", patience.as_secs())))?
}

async fn run(mut command: Command, name: &str, most: u64) -> io::Result<(Vec<u8>, bool)> {
    let mut child =
        command.spawn().map_err(|error| io::Error::new(error.kind(), format!("cannot run {name}: {error}")))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let said = async {
        let mut text = Vec::new();
        if let Some(stdout) = stdout {
            // Closed here when it has said enough: then it ends by itself.
            stdout.take(most).read_to_end(&mut text).await?;
        }
        Ok::<_, io::Error>(text)
    };
    let complained = async {
        let mut text = Vec::new();
        if let Some(mut stderr) = stderr {
            (&mut stderr).take(MAX_COMPLAINT).read_to_end(&mut text).await?;
            // What it says beyond that is of no use, but it must be able to say it.
            tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await?;
        }
        Ok::<_, io::Error>(text)
    };
    let (text, complaint) = tokio::try_join!(said, complained)?;
    let status = child.wait().await?;
    let cut = text.len() as u64 >= most;
    if status.success() || cut {
        return Ok((text, cut));
    }
    let complaint = String::from_utf8_lossy(&complaint);
    let complaint = complaint.lines().next().unwrap_or("it does not say why");
    Err(io::Error::other(format!("{name} failed ({status}): {complaint}")))
}
