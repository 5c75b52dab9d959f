//! `cargo bench -p serve-bench`: the cost and capacity figures of `serve-bench selftest --bench`, on optimised binaries
//! of this checkout. CPU seconds and ratios in one run; a bare read loop stands beside ours.

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    // The scripted server is a process of its own, so it has to be built beside the client.
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "-p", "engine-sim"])
        .status();
    if !built.is_ok_and(|status| status.success()) {
        eprintln!("error: engine-sim could not be built");
        return ExitCode::FAILURE;
    }
    let ran = Command::new(env!("CARGO_BIN_EXE_serve-bench"))
        .args(["selftest", "--bench", "--format", "table"])
        .status();
    match ran {
        // Limits that do not hold on this machine are printed; they are figures, not failures of the bench.
        Ok(status) if matches!(status.code(), Some(0 | 1 | 5)) => ExitCode::SUCCESS,
        Ok(status) => {
            eprintln!("error: serve-bench selftest ended with {status}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: cannot start serve-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
