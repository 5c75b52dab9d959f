//! The `profile-tables` binary.

fn main() -> std::process::ExitCode {
    cli_kit::main::<profile_tables::cli::Args>(profile_tables::run)
}
