//! The end of what a launcher left elsewhere: a command, bounded, and proof that it did what it should.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;

use crate::reason::Reason;

use super::fault::failed;

/// Longest that a command may take.
const LIMIT: Duration = Duration::from_secs(60);
/// Longest that a run may take to be over.
const OVER: Duration = Duration::from_secs(300);
/// Pause between two questions.
const PAUSE: Duration = Duration::from_millis(500);
/// What is read of an answer.
const CAP: u64 = 4 << 20;

/// How something is ended, and how it is known to be gone.
#[derive(Clone, Debug)]
pub(crate) struct Cleanup {
    pub(crate) argv: Vec<String>,
    /// Small letters of what it prints when there was nothing to end.
    pub(crate) gone: &'static [&'static str],
    pub(crate) until: Option<Until>,
}

/// A question that is asked until it is answered so.
#[derive(Clone, Debug)]
pub(crate) struct Until {
    pub(crate) argv: Vec<String>,
    pub(crate) answer: Answer,
}

/// What says that something is over.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A field of the JSON object that is printed has one of these values.
    Field {
        name: &'static str,
        values: &'static [&'static str],
    },
    /// Nothing is printed.
    Nothing,
}

impl Answer {
    /// What still stands in the way; `None` when it is over.
    fn left(&self, is_ok: bool, printed: &str, said: String) -> Option<String> {
        match self {
            Answer::Field { name, values } => {
                let answer: serde_json::Value = serde_json::from_str(printed).unwrap_or_default();
                match answer.get(name).and_then(serde_json::Value::as_str) {
                    Some(value) if values.contains(&value) => None,
                    Some(value) => Some(format!("it is still {value}")),
                    None => Some(said),
                }
            }
            Answer::Nothing => (!is_ok || !printed.trim().is_empty()).then_some(said),
        }
    }
}

/// Ends it, and waits until it is gone.
///
/// # Errors
/// When it is not known to be gone: it would disturb what comes after.
pub(crate) async fn clean(cleanup: &Cleanup) -> Result<(), Reason> {
    let (is_ok, _, said) = command(&cleanup.argv).await?;
    let lower = said.to_lowercase();
    if cleanup.gone.iter().any(|word| lower.contains(word)) {
        return Ok(());
    }
    if !is_ok {
        return Err(not_gone(&cleanup.argv, &said));
    }
    let Some(until) = &cleanup.until else {
        return Ok(());
    };
    let begun = Instant::now();
    loop {
        let (is_ok, printed, said) = command(&until.argv).await?;
        let Some(left) = until.answer.left(is_ok, &printed, said) else {
            return Ok(());
        };
        if begun.elapsed() > OVER {
            return Err(not_gone(&until.argv, &left));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn not_gone(argv: &[String], said: &str) -> Reason {
    let program = argv.iter().take(3).cloned().collect::<Vec<_>>().join(" ");
    let last = said
        .lines()
        .rfind(|line| !line.trim().is_empty())
        .unwrap_or("nothing");
    failed(
        "engine-not-stopped",
        &format!("`{program} …` does not say that it is gone: {last}"),
        "end it by its name before the search goes on: it disturbs what comes after",
    )
}

/// Whether a command succeeded, what it printed, and both its outputs together.
async fn command(argv: &[String]) -> Result<(bool, String, String), Reason> {
    let (program, arguments) = argv.split_first().expect("a cleanup has a program");
    let not_run = |why: String| not_gone(argv, &why);
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        // Ctrl-C at our terminal does not reach it.
        .process_group(0)
        .spawn()
        .map_err(|error| not_run(error.to_string()))?;
    let (mut printed, mut complained) = (Vec::new(), Vec::new());
    let out = child.stdout.take().map(|pipe| pipe.take(CAP));
    let err = child.stderr.take().map(|pipe| pipe.take(CAP));
    let whole = async {
        let reading = async {
            if let Some(mut out) = out {
                let _ = out.read_to_end(&mut printed).await;
            }
        };
        let complaining = async {
            if let Some(mut err) = err {
                let _ = err.read_to_end(&mut complained).await;
            }
        };
        tokio::join!(reading, complaining);
        child.wait().await
    };
    let status = tokio::time::timeout(LIMIT, whole)
        .await
        .map_err(|_| not_run(format!("it took longer than {} s", LIMIT.as_secs())))?
        .map_err(|error| not_run(error.to_string()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let both = format!("{}\n{}", text(&printed), text(&complained));
    Ok((status.success(), text(&printed), both))
}
