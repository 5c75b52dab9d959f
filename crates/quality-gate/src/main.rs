//! The `quality-gate` binary.

fn main() -> std::process::ExitCode {
    cli_kit::main::<quality_gate::cli::Args>(quality_gate::run)
}
