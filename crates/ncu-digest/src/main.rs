//! The `ncu-digest` binary.

fn main() -> std::process::ExitCode {
    cli_kit::main::<ncu_digest::cli::Args>(ncu_digest::run)
}
