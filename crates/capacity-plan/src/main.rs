//! The `capacity-plan` binary.

fn main() -> std::process::ExitCode {
    cli_kit::main::<capacity_plan::cli::Args>(capacity_plan::run)
}
