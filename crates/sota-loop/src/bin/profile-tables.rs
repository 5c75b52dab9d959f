//! `profile-tables` as the wheel and `cargo install` ship it; the tool itself is the crate of that name.

fn main() -> std::process::ExitCode {
    cli_kit::main::<profile_tables::cli::Args>(profile_tables::run)
}
