//! Man pages and shell completions, made from the definitions that parse. Asked for by a first argument of their own,
//! so that no tool's flags and no `--help` list get longer by them.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, FromArgMatches as _};
use clap_complete::Shell;
use contracts::Exit;

use crate::{Cli, Failure, emit, manual};

/// The line of `--help` that names these flags.
pub(crate) const HELP: &str =
    "Also, as first argument: --man, --man-dir DIR, --completions bash|zsh|fish|elvish|powershell";

/// The flags; the first argument decides whether they are parsed at all.
#[derive(Debug, clap::Parser)]
#[group(required = true, multiple = false)]
struct Asked {
    /// Print the man page of the tool
    #[arg(long)]
    man: bool,
    /// Write the man pages of the tool and of its sub-commands into DIR
    #[arg(long, value_name = "DIR")]
    man_dir: Option<PathBuf>,
    /// Print the completion script of a shell
    #[arg(long, value_name = "SHELL")]
    completions: Option<Shell>,
}

/// Answers the flags of this file; `None` when the first argument is none of them.
pub(crate) fn print<A: Cli>(argv: &[OsString]) -> Option<Exit> {
    let first = argv.get(1)?.to_str()?;
    let flag = first.split('=').next()?;
    if !["--man", "--man-dir", "--completions"].contains(&flag) {
        return None;
    }
    let asked = Asked::command()
        .name(A::TOOL.name)
        .try_get_matches_from(argv)
        .and_then(|matches| Asked::from_arg_matches(&matches));
    let asked = match asked {
        Ok(asked) => asked,
        Err(error) => return Some(emit::usage(&A::TOOL, &error, argv)),
    };
    Some(match answer::<A>(&asked) {
        Ok(text) => {
            // A closed pipe is success: the reader has what it wanted.
            let _ = std::io::stdout().lock().write_all(&text);
            Exit::Ok
        }
        Err(failure) => {
            emit::print_failure(&failure, false);
            failure.exit
        }
    })
}

/// What goes to stdout.
fn answer<A: Cli>(asked: &Asked) -> Result<Vec<u8>, Failure> {
    if let Some(shell) = asked.completions {
        return Ok(completions::<A>(shell));
    }
    let pages = manual::pages::<A>();
    let Some(folder) = &asked.man_dir else {
        let root = pages.into_iter().next().expect("a tool has a page of its own");
        return Ok(root.roff.into_bytes());
    };
    write_pages(folder, &pages).map_err(|error| {
        Failure::new(
            Exit::Unavailable,
            "man-pages-not-written",
            format!("cannot write man pages into {}: {error}", folder.display()),
        )
        .hint("choose a folder that can be written, for example ~/.local/share/man/man1")
    })
}

/// Writes every page and gives the paths, one a line.
fn write_pages(folder: &Path, pages: &[manual::Page]) -> std::io::Result<Vec<u8>> {
    std::fs::create_dir_all(folder)?;
    let mut written = Vec::new();
    for page in pages {
        let path = folder.join(&page.file_name);
        emit::write_atomically(&path, page.roff.as_bytes())?;
        writeln!(written, "{}", path.display())?;
    }
    Ok(written)
}

fn completions<A: Cli>(shell: Shell) -> Vec<u8> {
    let name = A::TOOL.name;
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::command::<A>(), name, &mut script);
    if shell != Shell::Bash {
        return script;
    }
    // clap_complete 4.6.11 spells the states of bash in two ways where the tool's name has a hyphen, so that no
    // sub-command completes (clap-rs/clap#6421). The first spelling is what the script sets.
    let script = String::from_utf8(script).expect("a script of text is text");
    let (set, looked_up) = (name.replace('-', "__"), name.replace('-', "__subcmd__"));
    script.replace(&looked_up, &set).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_tool::Args;

    fn asked(words: &[&str]) -> Result<Vec<u8>, Failure> {
        let words = ["test-tool"].iter().chain(words);
        answer::<Args>(&<Asked as clap::Parser>::try_parse_from(words).unwrap())
    }

    fn exit(words: &[&str]) -> Option<Exit> {
        let argv: Vec<OsString> = ["test-tool"].iter().chain(words).map(OsString::from).collect();
        print::<Args>(&argv)
    }

    #[test]
    fn only_the_first_argument_asks() {
        for others in [
            vec![],
            vec!["run"],
            vec!["run", "--man"],
            vec!["--manual"],
            vec!["--quiet", "--man"],
        ] {
            assert_eq!(exit(&others), None, "{others:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_usage() {
        let wrong = [
            vec!["--man", "run"],
            vec!["--man", "--completions", "zsh"],
            vec!["--man-dir"],
            vec!["--completions"],
            vec!["--completions", "tcsh"],
        ];
        for words in wrong {
            assert_eq!(exit(&words), Some(Exit::Usage), "{words:?}");
        }
    }

    #[test]
    fn every_shell_gets_the_flags_of_the_sub_commands() {
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            let script = String::from_utf8(asked(&["--completions", shell]).unwrap()).unwrap();
            assert!(
                script.contains("blocks") && script.contains("measure"),
                "{shell}: {script}"
            );
            assert!(
                !script.contains("man-dir"),
                "{shell}: the flags of this file stay hidden"
            );
            let again = asked(&["--completions", shell]).unwrap();
            assert_eq!(again, script.into_bytes(), "{shell}: the same bytes each time");
        }
    }

    #[test]
    fn bash_finds_every_state_that_it_sets() {
        let script = String::from_utf8(asked(&["--completions", "bash"]).unwrap()).unwrap();
        let set: Vec<&str> = script
            .lines()
            .filter_map(|line| line.trim().strip_prefix("cmd=\"")?.strip_suffix('"'))
            .filter(|state| !state.is_empty())
            .collect();
        assert!(set.len() > 2, "{script}");
        for state in set {
            let label = format!("        {state})");
            assert!(
                script.lines().any(|line| line == label),
                "no case {state}: {script}"
            );
        }
    }

    #[test]
    fn a_folder_gets_one_page_a_command() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("share/man/man1");
        let flag = format!("--man-dir={}", inner.display());
        let said = String::from_utf8(asked(&[&flag]).unwrap()).unwrap();
        let names = ["test-tool.1", "test-tool-measure.1"].map(|name| inner.join(name));
        let paths: Vec<PathBuf> = said.lines().map(PathBuf::from).collect();
        assert_eq!(paths, names);
        assert_eq!(std::fs::read(&names[0]).unwrap(), asked(&["--man"]).unwrap());
        assert_eq!(std::fs::read_dir(inner).unwrap().count(), 2);
    }

    #[test]
    fn a_folder_that_is_a_file_is_said() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let failure = asked(&["--man-dir", file.path().to_str().unwrap()]).unwrap_err();
        assert_eq!(failure.exit, Exit::Unavailable);
        assert_eq!(failure.document.code, "man-pages-not-written");
        assert!(failure.document.hint.unwrap().contains("man1"));
    }
}
