//! Flags that every tool has.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

/// What stdout gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// The whole document.
    Json,
    /// A table for people.
    Table,
    /// Markdown for agents.
    Markdown,
}

/// Output, progress and logging.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// What stdout gets [default: table on a terminal, else json]
    #[arg(long, value_enum, global = true, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Also write the full JSON document to FILE; `-` is stdout, which also gets it where FILE cannot be written
    #[arg(short, long, global = true, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Rows in tables and Markdown; the JSON document holds all rows
    #[arg(long, global = true, value_name = "N", default_value_t = 20)]
    pub top: usize,
    /// Print the JSON Schema of the document and exit
    #[arg(long, global = true)]
    pub schema: bool,
    /// Print the SKILL.md that teaches this tool and exit
    #[arg(long, global = true)]
    pub skill: bool,
    /// No progress on stderr
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Logs on stderr; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

impl OutputArgs {
    /// The file of `-o`; `None` without one, and for stdout.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| path.as_os_str() != "-")
    }

    /// The format after the default.
    pub fn chosen_format(&self) -> Format {
        if self.output.as_deref().is_some_and(|path| path.as_os_str() == "-") {
            return Format::Json;
        }
        self.format.unwrap_or(if std::io::stdout().is_terminal() {
            Format::Table
        } else {
            Format::Json
        })
    }

    /// Whether a progress bar may be drawn.
    pub fn shows_progress(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }
}

pub(crate) fn start_logging(options: &OutputArgs) {
    let level = match (options.quiet, options.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, _) => "debug",
    };
    let filter = tracing_subscriber::EnvFilter::new(level);
    // A second call in one process (tests) keeps the first logger.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .without_time()
        .try_init();
}
