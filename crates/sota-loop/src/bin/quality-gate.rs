//! `quality-gate` as the wheel and `cargo install` ship it; the tool itself is the crate of that name.

fn main() -> std::process::ExitCode {
    cli_kit::main::<quality_gate::cli::Args>(quality_gate::run)
}
