//! `serve-bench`: see the library.

fn main() -> std::process::ExitCode {
    cli_kit::main::<serve_bench::cli::Args>(serve_bench::run)
}
