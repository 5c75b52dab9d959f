//! `pipeline-analysis` as the wheel and `cargo install` ship it; the tool itself is the crate of that name.

fn main() -> std::process::ExitCode {
    cli_kit::main::<pipeline_analysis::cli::Args>(pipeline_analysis::run)
}
