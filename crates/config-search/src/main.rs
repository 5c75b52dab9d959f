//! The `config-search` binary.

fn main() -> std::process::ExitCode {
    cli_kit::main::<config_search::cli::Args>(config_search::run)
}
