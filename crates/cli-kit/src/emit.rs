//! Writing what a tool has to say: the document, a view of it, or an error.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use contracts::{Document, Exit};
use serde::Serialize;

use crate::ToolInfo;
use crate::failure::Failure;
use crate::flags::{Format, OutputArgs};
use crate::overwrite;
use crate::view::View;

/// What a tool returns: its document, the view of it, and how the process ends.
#[derive(Clone, Debug)]
pub struct Report {
    json: String,
    view: View,
    exit: Exit,
    /// Files that the document was made from.
    inputs: Vec<PathBuf>,
    /// What stdout gets when nobody said.
    default_format: Option<Format>,
}

impl Report {
    /// From a document and its view. A partial document always ends with [`Exit::Interrupted`] unless the caller
    /// says otherwise.
    pub fn new<D: Serialize>(document: &Document<D>, view: View, exit: Exit) -> Report {
        let mut json =
            serde_json::to_string_pretty(document).expect("a document has string keys and finite numbers");
        json.push('\n');
        Report {
            json,
            view,
            exit,
            inputs: document
                .inputs
                .iter()
                .map(|input| PathBuf::from(&input.path))
                .collect(),
            default_format: None,
        }
    }

    /// A report whose text is what was asked for (a prompt, a plan): stdout gets it as Markdown unless `--format` says
    /// otherwise, in a pipe too.
    #[must_use]
    pub fn text_first(mut self) -> Report {
        self.default_format = Some(Format::Markdown);
        self
    }

    /// How the process will end.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// The document as it will be written.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The view as it will be printed.
    pub fn view(&self) -> &View {
        &self.view
    }
}

/// Writes a file by temporary file and rename, so that readers see the old or the new content.
///
/// # Errors
/// Those of the file system; the temporary file is removed.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::other("the output path names no file"))?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.part", std::process::id()));
    let temporary = path.with_file_name(temporary);
    let written = std::fs::File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_data()?;
        std::fs::rename(&temporary, path)?;
        sync_folder(path);
        Ok(())
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

/// Makes the new name last. A file system that cannot do that for a folder has the content all the same.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Ok(folder) = std::fs::File::open(folder.unwrap_or(Path::new("."))) {
        let _ = folder.sync_all();
    }
}

pub(crate) fn report(report: &Report, options: &OutputArgs) -> Exit {
    let mut exit = report.exit;
    let mut format = match (report.default_format, options.format) {
        (Some(default), None) if options.output.as_deref() != Some(Path::new("-")) => default,
        _ => options.chosen_format(),
    };
    if let Some(Err(failure)) = options.file().map(|path| write(report, path)) {
        print_failure(&failure, false);
        // Nothing measured is lost: stdout gets the document instead of a view of it.
        format = Format::Json;
        exit = failure.exit;
    }
    let text = match format {
        Format::Json => report.json.clone(),
        Format::Table => report.view.to_columns(columns()),
        Format::Markdown => report.view.to_markdown(),
    };
    match print(&text) {
        Ok(()) => exit,
        Err(error) => {
            say(&format!(
                "error[stdout-not-written]: cannot write to stdout: {error}"
            ));
            Exit::Unavailable
        }
    }
}

/// Writes the document to the file of `-o`.
fn write(report: &Report, path: &Path) -> Result<(), Failure> {
    let hint = "the document follows on stdout; nothing measured is lost";
    overwrite::check_read(&report.inputs, path).map_err(|failure| failure.hint(hint))?;
    // /dev/null, a pipe or another special file cannot be replaced by rename.
    let special = path.exists() && !path.is_file();
    let written = if special {
        std::fs::write(path, &report.json)
    } else {
        write_atomically(path, report.json.as_bytes())
    };
    written.map_err(|error| {
        let message = format!("cannot write {}: {error}", path.display());
        Failure::new(Exit::Unavailable, "output-not-written", message).hint(hint)
    })
}

/// Width of the terminal as its shell exports it; the widest view where nothing does.
fn columns() -> usize {
    let columns = std::env::var("COLUMNS").ok();
    columns
        .and_then(|columns| columns.trim().parse().ok())
        .unwrap_or(usize::MAX)
}

pub(crate) fn failure(failure: &Failure, options: &OutputArgs) -> Exit {
    print_failure(failure, options.chosen_format() == Format::Json);
    failure.exit
}

/// Usage errors and `--help` of clap.
pub(crate) fn usage(tool: &ToolInfo, error: &clap::Error, argv: &[OsString]) -> Exit {
    if !error.use_stderr() {
        let _ = error.print();
        return Exit::Ok;
    }
    let _ = error.print();
    if wants_json(argv) {
        let message = contracts::text::clean(&error.to_string(), contracts::text::FOREIGN_TEXT_CAP);
        let failure = Failure::new(Exit::Usage, "usage", message).hint(format!("see `{} --help`", tool.name));
        print_document(&failure);
    }
    Exit::Usage
}

/// Whether `--format json` was typed, where nothing is parsed.
pub(crate) fn wants_json(argv: &[OsString]) -> bool {
    argv.windows(2)
        .any(|pair| pair[0] == "--format" && pair[1] == "json")
        || argv.iter().any(|word| word == "--format=json")
}

pub(crate) fn print_failure(failure: &Failure, json: bool) {
    say(&format!(
        "error[{}]: {}",
        failure.document.code, failure.document.message
    ));
    if let Some(hint) = &failure.document.hint {
        say(&format!("hint: {hint}"));
    }
    if json {
        print_document(failure);
    }
}

fn print_document(failure: &Failure) {
    let text = serde_json::to_string_pretty(&failure.document).expect("an error document is JSON");
    let _ = print(&format!("{text}\n"));
}

/// A line on stderr. Nobody has to read it: a closed pipe changes neither what is measured nor how the process ends.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// A closed pipe is success: the reader has what it wanted.
fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
