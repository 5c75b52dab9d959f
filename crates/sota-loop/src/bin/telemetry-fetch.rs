//! `telemetry-fetch` as the wheel and `cargo install` ship it; the tool itself is the crate of that name.

fn main() -> std::process::ExitCode {
    cli_kit::main::<telemetry_fetch::cli::Args>(telemetry_fetch::run)
}
