//! The `telemetry-fetch` binary.

fn main() -> std::process::ExitCode {
    cli_kit::main::<telemetry_fetch::cli::Args>(telemetry_fetch::run)
}
