//! Transcripts: every fenced command of the skills, their references, the prompts and the README runs in a folder of its
//! own, with the built binaries and simulated engines; exit codes and documents are checked.

mod disturbed;
mod engine;
mod pages;
mod prompts;
mod stage;
mod table;
mod written;

use std::collections::BTreeMap;

use crate::markdown::{Fence, fences};
use crate::repository::{instructions, read};
use crate::shell::{self, Line};
use engine::Engine;
use pages::{PAGES, Page};
use stage::Stage;
use table::{EXITS, LEFT_OUT, SUBSTITUTIONS};

/// Tries of a script that measures.
const TRIES: u32 = 3;

/// The shell blocks of a page; blocks with `$ ` prompts show output and are samples.
fn is_shell(fence: &Fence) -> bool {
    ["sh", "bash", "shell"].contains(&fence.language.as_str())
}

/// Runs a page from its first command to its last.
fn play(page: &'static Page) {
    let path = page.path;
    let mut transcript = Transcript {
        page,
        stage: Stage::set(page),
        happened: 0,
        exits: Vec::new(),
        script: None,
    };
    for fence in fences(&read(path)) {
        transcript.block(&fence);
    }
    assert_eq!(
        transcript.script, None,
        "{path}: what was started is never killed"
    );
    let unused: Vec<_> = EXITS
        .iter()
        .filter(|(of, command, ..)| *of == path && !transcript.exits.contains(command))
        .collect();
    assert!(unused.is_empty(), "exceptions that nothing needs: {unused:?}");
    assert_eq!(
        transcript.happened,
        page.before.len(),
        "{path}: something waits for a command that never came"
    );
}

/// A page while it is played.
struct Transcript {
    page: &'static Page,
    stage: Stage,
    /// How many of the page's actions have happened.
    happened: usize,
    /// Exceptions of the table that were needed.
    exits: Vec<&'static str>,
    /// Blocks since something was started in the background: one shell runs them, up to the one that kills it.
    script: Option<String>,
}

impl Transcript {
    fn block(&mut self, fence: &Fence) {
        if let Some(name) = stage::file_name(&fence.body).filter(|_| fence.language == "yaml") {
            self.stage.write(name, &self.stage.fill(&fence.body));
        }
        if !is_shell(fence) {
            return;
        }
        let lines = shell::lines(&fence.body);
        if self.script.is_some() || lines.iter().any(|line| line.text.ends_with(" &")) {
            self.script.get_or_insert_default().push_str(&fence.body);
            if lines.iter().any(|line| line.commands[0][0] == "kill") {
                self.script();
            }
            return;
        }
        for line in lines {
            while let Some((_, action)) = self
                .page
                .before
                .get(self.happened)
                .filter(|(piece, _)| line.text.contains(piece))
            {
                self.happened += 1;
                if let Some(command) = self.stage.act(action) {
                    let commands = shell::lines(&command);
                    self.line(&format!("{}, before", self.page.path), &commands[0]);
                }
            }
            let place = format!("{}:{}", self.page.path, fence.line + line.line);
            self.line(&place, &line);
        }
    }

    /// Blocks that belong together, as one script; anew where other work on this machine disturbed a measurement.
    fn script(&mut self) {
        let script = self.script.take().expect("a script was collected");
        let text = self.stage.fill(&script);
        let mut ended = self.stage.script(&text);
        for _ in 1..TRIES {
            if ended.code() == 5 {
                ended = self.stage.script(&text);
            }
        }
        let place = self.page.path;
        assert_eq!(ended.code(), 0, "{place}\n{text}\nended with {ended:?}");
        written::documents(place, &BTreeMap::new(), &written::files(self.stage.folder()));
    }

    /// One line as the page has it; a loop turn by turn.
    fn line(&mut self, place: &str, line: &Line) {
        for turn in shell::unrolled(&line.text) {
            if left_out(self.page.path, &turn) {
                continue;
            }
            let text = self.stage.fill(&turn);
            let place = format!("{place}: {text}");
            if line.commands[0][0] == "engine-sim" {
                let mut command = self.stage.command("sh");
                command.args(["-c", &format!("exec {text}")]);
                Engine::start(&place, &mut command).truth_and_stop(&place);
            } else {
                self.run(&place, &line.text, &text);
            }
        }
    }

    /// A command as it runs here, with its exit code and what it left behind.
    fn run(&mut self, place: &str, written: &str, text: &str) {
        let before = written::files(self.stage.folder());
        let expected = EXITS
            .iter()
            .find(|(of, piece, ..)| *of == self.page.path && written.contains(piece));
        let codes = expected.map_or(&[0][..], |(_, _, codes, _)| codes);
        self.exits.extend(expected.map(|(_, piece, ..)| *piece));
        let mut ended = self.stage.shell(text);
        let lines = shell::lines(text);
        let words = &lines[0].commands[0];
        let is_busy = ended.code() == 5 && !codes.contains(&5);
        let is_mended = is_busy && disturbed::mend(&self.stage, words);
        if is_busy && !is_mended {
            ended = disturbed::again(&self.stage, words, text).unwrap_or(ended);
        }
        assert!(
            is_mended || codes.contains(&ended.code()),
            "{place}\nended with {ended:?}"
        );
        for words in lines.iter().flat_map(|line| &line.commands) {
            self.stage.after(words);
        }
        written::printed(place, &ended);
        written::documents(place, &before, &written::files(self.stage.folder()));
    }
}

/// Whether the table says why a command is not run.
fn left_out(page: &str, text: &str) -> bool {
    LEFT_OUT
        .iter()
        .any(|(of, piece, _)| *of == page && text.contains(piece))
}

/// All at once: most of the time they wait for engines. TRANSCRIPT=PATH plays one page.
#[test]
fn every_page_runs_as_written() {
    let only = std::env::var("TRANSCRIPT").ok();
    let failed: Vec<&str> = std::thread::scope(|scope| {
        let running: Vec<_> = PAGES
            .iter()
            .filter(|page| only.as_ref().is_none_or(|only| page.path == only))
            .map(|page| (page.path, scope.spawn(|| play(page))))
            .collect();
        assert!(!running.is_empty(), "no page of that name is set");
        let failed = running
            .into_iter()
            .filter_map(|(path, page)| page.join().is_err().then_some(path));
        failed.collect()
    });
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn every_page_with_commands_is_set() {
    for path in instructions() {
        let has_commands = fences(&read(&path)).iter().any(is_shell);
        let is_set = PAGES.iter().any(|page| page.path == path);
        assert_eq!(
            has_commands, is_set,
            "{path}: a page with commands is played, any other is not"
        );
    }
}

#[test]
fn the_tables_hold_nothing_that_nothing_needs() {
    let texts: Vec<(String, String)> = instructions()
        .into_iter()
        .map(|path| {
            let text = read(&path);
            (path, with_turns(text))
        })
        .collect();
    for (written, _, why) in SUBSTITUTIONS {
        let is_needed = texts.iter().any(|(_, text)| text.contains(written));
        assert!(is_needed, "no page has `{written}` ({why})");
    }
    for (page, piece, why) in LEFT_OUT {
        let is_needed = texts
            .iter()
            .any(|(path, text)| path == page && text.contains(piece));
        assert!(is_needed, "{page} has no `{piece}` ({why})");
    }
    for (page, ..) in EXITS {
        assert!(
            PAGES.iter().any(|set| set.path == *page),
            "{page} is never played"
        );
    }
}

/// A page, and the turns of its loops.
fn with_turns(mut text: String) -> String {
    for fence in fences(&text).iter().filter(|fence| is_shell(fence)) {
        for line in shell::lines(&fence.body) {
            text.push('\n');
            text.push_str(&shell::unrolled(&line.text).join("\n"));
        }
    }
    text
}
