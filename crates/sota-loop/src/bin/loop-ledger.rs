//! `loop-ledger` as the wheel and `cargo install` ship it; the tool itself is the crate of that name.

fn main() -> std::process::ExitCode {
    loop_ledger::main()
}
