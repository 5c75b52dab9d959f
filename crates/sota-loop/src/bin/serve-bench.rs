//! `serve-bench` as the wheel and `cargo install` ship it; the tool itself is the crate of that name.

fn main() -> std::process::ExitCode {
    cli_kit::main::<serve_bench::cli::Args>(serve_bench::run)
}
