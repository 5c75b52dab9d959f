//! The `gap-decide` binary.

fn main() -> std::process::ExitCode {
    cli_kit::main::<gap_decide::cli::Args>(gap_decide::run)
}
