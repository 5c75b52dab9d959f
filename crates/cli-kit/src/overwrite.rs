//! `-o FILE` never replaces what a tool reads. What was typed is looked at before the work begins; files that were found in
//! a folder are known by the document's inputs alone, so these are looked at before it is written.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command};
use contracts::Exit;

use crate::Failure;

/// Refuses an output that is one of the files on the command line; nothing has been read yet.
///
/// # Errors
/// Exit 2, with both names.
pub(crate) fn check_typed(command: &Command, matches: &ArgMatches, output: &Path) -> Result<(), Failure> {
    match target(output).and_then(|target| typed(command, matches, &target)) {
        Some(input) => Err(refusal(output, &input)),
        None => Ok(()),
    }
}

/// Refuses an output that is one of these files.
///
/// # Errors
/// Exit 2, with both names.
pub(crate) fn check_read(inputs: &[PathBuf], output: &Path) -> Result<(), Failure> {
    let Some(target) = target(output) else {
        return Ok(());
    };
    match inputs.iter().find(|input| is_same(&target, input.as_os_str())) {
        Some(input) => Err(refusal(output, input)),
        None => Ok(()),
    }
}

/// The file that would be replaced, by the only name that it has; `None` for a new file, and for what cannot be replaced.
fn target(output: &Path) -> Option<PathBuf> {
    let target = std::fs::canonicalize(output).ok()?;
    target.is_file().then_some(target)
}

/// The first word of a command line that names this file, as it stands or behind `NAME=`; those of sub-commands, too.
fn typed(command: &Command, matches: &ArgMatches, target: &Path) -> Option<PathBuf> {
    let takes_values = |arg: &&clap::Arg| arg.get_action().takes_values() && arg.get_id() != "output";
    for arg in command.get_arguments().filter(takes_values) {
        let Ok(Some(words)) = matches.try_get_raw(arg.get_id().as_str()) else {
            continue;
        };
        for word in words {
            let named = word.to_str().and_then(|word| word.split_once('='));
            let candidates = [Some(word), named.map(|(_, path)| OsStr::new(path))];
            if let Some(input) = candidates
                .into_iter()
                .flatten()
                .find(|word| is_same(target, word))
            {
                return Some(PathBuf::from(input));
            }
        }
    }
    let (name, matches) = matches.subcommand()?;
    typed(command.find_subcommand(name)?, matches, target)
}

/// Whether a word names the file: by any path, also through links.
fn is_same(target: &Path, word: &OsStr) -> bool {
    !word.is_empty() && std::fs::canonicalize(word).is_ok_and(|path| path == target)
}

fn refusal(output: &Path, input: &Path) -> Failure {
    Failure::new(
        Exit::Usage,
        "output-is-input",
        format!(
            "-o {} would replace {}, which is an input",
            output.display(),
            input.display()
        ),
    )
    .hint("name another file for -o")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::{command, test_tool};

    /// What is said of `test-tool measure WORDS… -o OUTPUT`.
    fn seen(words: &[&Path], output: &Path) -> Result<(), Failure> {
        let mut argv: Vec<OsString> = ["test-tool", "measure"].map(OsString::from).into();
        argv.extend(words.iter().map(OsString::from));
        argv.extend([OsString::from("-o"), output.into()]);
        let mut command = command::<test_tool::Args>();
        let matches = command
            .try_get_matches_from_mut(argv)
            .expect("the words are arguments");
        check_typed(&command, &matches, output)
    }

    #[test]
    fn an_input_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.json");
        std::fs::write(&file, "{}").unwrap();
        let dotted = folder.path().join(".").join("run.json");
        let named = PathBuf::from(format!("vllm={}", file.display()));
        for (words, output) in [
            ([&*file].as_slice(), &file),
            (&[&*file], &dotted),
            (&[&*dotted], &file),
            (&[Path::new("a.json"), &*named], &file),
        ] {
            let failure = seen(words, output).unwrap_err();
            assert_eq!(
                (failure.exit, failure.document.code.as_str()),
                (Exit::Usage, "output-is-input")
            );
            assert!(failure.document.hint.is_some());
        }
        assert_eq!(
            check_read(std::slice::from_ref(&file), &dotted).unwrap_err().exit,
            Exit::Usage
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_the_file_that_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("run.json"), folder.path().join("latest.json"));
        std::fs::write(&file, "{}").unwrap();
        std::os::unix::fs::symlink("run.json", &link).unwrap();
        for (word, output) in [(&file, &link), (&link, &file), (&link, &link)] {
            assert!(seen(&[word], output).is_err());
        }
    }

    #[test]
    fn another_file_is_no_input() {
        let folder = tempfile::tempdir().unwrap();
        let (file, other) = (folder.path().join("run.json"), folder.path().join("out.json"));
        std::fs::write(&file, "{}").unwrap();
        // A file that is not there yet, one of an earlier run, and what cannot be replaced at all.
        assert_eq!(seen(&[&file], &other), Ok(()));
        std::fs::write(&other, "{}").unwrap();
        assert_eq!(seen(&[&file], &other), Ok(()));
        assert_eq!(check_read(&[file], &other), Ok(()));
        let null = Path::new("/dev/null");
        assert_eq!(seen(&[null], null), Ok(()));
        assert_eq!(check_read(&[PathBuf::from("-")], &other), Ok(()));
    }
}
