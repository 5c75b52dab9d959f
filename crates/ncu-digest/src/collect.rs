//! The `ncu` commands that collect what a digest needs.

/// Launches of a capture: five have a spread, and the first of them is left out.
const LAUNCHES: &str = "5";

/// Everything that a class and an edit need.
pub(crate) fn full(kernel: &str, report: &str) -> Vec<String> {
    let mut argv = common("full", kernel, LAUNCHES);
    argv.extend(words(&["--import-source", "no", "-f", "-o", report]));
    argv
}

/// Which lines of the source wait.
pub(crate) fn source(kernel: &str, report: &str) -> Vec<String> {
    let mut argv = common("source", kernel, "1");
    argv.extend(words(&[
        "--section",
        "SourceCounters",
        "--import-source",
        "yes",
        "-f",
        "-o",
        report,
    ]));
    argv
}

fn common(set: &str, kernel: &str, launches: &str) -> Vec<String> {
    let mut argv = words(&["ncu", "--set", set, "--kernel-name"]);
    argv.push(format!("regex:{kernel}"));
    argv.extend(words(&[
        "--launch-count",
        launches,
        "--clock-control",
        "base",
        "--cache-control",
        "all",
    ]));
    argv.extend(words(&["--target-processes", "all"]));
    argv
}

/// The command for one kernel of a report, for a message: the program is not known, or is not said.
pub(crate) fn again(raw: &ncu_report::Kernel) -> String {
    let function = contracts::text::clean(&raw.function, 200);
    let kernel = format!("^{}$", regex::escape(&function));
    format!("{} PROGRAM…", cli_kit::shell_words(&full(&kernel, "full")))
}

/// The command for a kernel that is not in a report.
pub(crate) fn any() -> String {
    format!("{} PROGRAM…", cli_kit::shell_words(&full("NAME", "full")))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
