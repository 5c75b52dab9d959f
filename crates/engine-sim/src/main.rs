//! The `engine-sim` binary.

fn main() -> std::process::ExitCode {
    cli_kit::main::<engine_sim::cli::Args>(engine_sim::run)
}
