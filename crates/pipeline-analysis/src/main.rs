//! The `pipeline-analysis` binary.

fn main() -> std::process::ExitCode {
    cli_kit::main::<pipeline_analysis::cli::Args>(pipeline_analysis::run)
}
