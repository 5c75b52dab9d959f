//! `capacity-plan` as the wheel and `cargo install` ship it; the tool itself is the crate of that name.

fn main() -> std::process::ExitCode {
    cli_kit::main::<capacity_plan::cli::Args>(capacity_plan::run)
}
