//! `gap-decide` as the wheel and `cargo install` ship it; the tool itself is the crate of that name.

fn main() -> std::process::ExitCode {
    cli_kit::main::<gap_decide::cli::Args>(gap_decide::run)
}
