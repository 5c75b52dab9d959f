//! The `loop-ledger` binary.

fn main() -> std::process::ExitCode {
    loop_ledger::main()
}
