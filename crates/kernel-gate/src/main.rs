//! The `kernel-gate` binary.

fn main() -> std::process::ExitCode {
    cli_kit::main::<kernel_gate::cli::Args>(kernel_gate::run)
}
