//! `kernel-gate` as the wheel and `cargo install` ship it; the tool itself is the crate of that name.

fn main() -> std::process::ExitCode {
    cli_kit::main::<kernel_gate::cli::Args>(kernel_gate::run)
}
