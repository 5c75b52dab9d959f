//! `config-search` as the wheel and `cargo install` ship it; the tool itself is the crate of that name.

fn main() -> std::process::ExitCode {
    cli_kit::main::<config_search::cli::Args>(config_search::run)
}
