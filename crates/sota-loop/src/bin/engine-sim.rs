//! `engine-sim` as the wheel and `cargo install` ship it; the tool itself is the crate of that name.

fn main() -> std::process::ExitCode {
    cli_kit::main::<engine_sim::cli::Args>(engine_sim::run)
}
