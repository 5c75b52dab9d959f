//! `ncu-digest` as the wheel and `cargo install` ship it; the tool itself is the crate of that name.

fn main() -> std::process::ExitCode {
    cli_kit::main::<ncu_digest::cli::Args>(ncu_digest::run)
}
