//! Man pages in roff: one of the tool and one of each sub-command. Without a date, so that the same build gives the same
//! bytes.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use contracts::Exit;

use crate::Cli;

/// One page.
pub(crate) struct Page {
    /// Name of its file, for example `serve-bench-run.1`.
    pub(crate) file_name: String,
    /// Its source.
    pub(crate) roff: String,
}

/// All pages of a tool, its own first.
pub(crate) fn pages<A: Cli>() -> Vec<Page> {
    // `help SUB` is no command that needs a page.
    let mut root = crate::command::<A>().disable_help_subcommand(true);
    // Global flags reach the sub-commands, and these learn their full names.
    root.build();
    let mut pages = vec![page::<A>(&root, true)];
    add_sub_commands::<A>(&root, &mut pages);
    pages
}

fn add_sub_commands<A: Cli>(command: &Command, pages: &mut Vec<Page>) {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        pages.push(page::<A>(sub, false));
        add_sub_commands::<A>(sub, pages);
    }
}

fn page<A: Cli>(command: &Command, is_root: bool) -> Page {
    let tool = &A::TOOL;
    let man = Man::new(command.clone())
        .source(format!("{} {}", tool.name, tool.version))
        // An empty date is left out by roff 1.1, and what follows would move into its place.
        .date(" ")
        .manual("User Commands");
    let mut roff = Vec::new();
    write(&man, command, &mut roff).expect("a vector takes every byte");
    let mut end = Roff::default();
    exit_status::<A>(&mut end);
    if is_root {
        examples(&mut end, tool.examples);
    } else {
        end.control("SH", ["SEE ALSO"]);
        end.text([bold(tool.name), roman("(1)")]);
    }
    end.to_writer(&mut roff).expect("a vector takes every byte");
    Page {
        file_name: man.get_filename(),
        roff: defined_once(&String::from_utf8(roff).expect("roff of text is text")),
    }
}

/// Every section brings the same definitions; once, at the top, is enough.
fn defined_once(roff: &str) -> String {
    let definitions = roff.split(".TH ").next().expect("a split has a first part");
    format!("{definitions}{}", roff.replace(definitions, ""))
}

/// The sections that clap knows, but for the end of the help: that has sections of its own here.
fn write(man: &Man, command: &Command, out: &mut Vec<u8>) -> std::io::Result<()> {
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(out)?;
    }
    Ok(())
}

fn exit_status<A: Cli>(roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    for exit in Exit::ALL {
        roff.control("TP", []);
        roff.text([bold(exit.code().to_string())]);
        roff.text([roman(crate::meaning::<A>(exit))]);
    }
}

/// As typed: no filling of lines.
fn examples(roff: &mut Roff, examples: &str) {
    roff.control("SH", ["EXAMPLES"]);
    roff.control("nf", []);
    for line in examples.lines() {
        roff.text([roman(line.trim())]);
    }
    roff.control("fi", []);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_tool::Args;

    #[test]
    fn the_page_of_the_tool_has_the_sections_of_a_man_page() {
        let pages = pages::<Args>();
        let text = pages[0].roff.as_str();
        let sections: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix(".SH "))
            .collect();
        assert_eq!(
            sections,
            [
                "NAME",
                "SYNOPSIS",
                "DESCRIPTION",
                "OPTIONS",
                "OUTPUT",
                "SUBCOMMANDS",
                "\"EXIT STATUS\"",
                "EXAMPLES"
            ]
        );
        let title = text.lines().find(|line| line.starts_with(".TH")).unwrap();
        assert_eq!(
            title,
            ".TH test-tool 1 \" \" \"test-tool 1.2.3\" \"User Commands\""
        );
        assert!(text.contains("test\\-tool\\-measure(1)"), "{text}");
        assert_eq!(text.matches(".ds Aq '").count(), 1, "{text}");
        for exit in Exit::ALL {
            assert!(text.contains(&format!("\\fB{}\\fR\n", exit.code())), "{text}");
        }
        assert!(
            text.contains(".nf\ntest\\-tool measure \\-\\-blocks 8\ntest\\-tool measure\n.fi"),
            "{text}"
        );
    }

    #[test]
    fn a_sub_command_has_its_flags_and_those_of_all() {
        let pages = pages::<Args>();
        let names: Vec<&str> = pages.iter().map(|page| page.file_name.as_str()).collect();
        assert_eq!(names, ["test-tool.1", "test-tool-measure.1"]);
        let text = pages[1].roff.as_str();
        assert!(
            text.contains("\\-\\-blocks") && text.contains("\\-\\-format"),
            "{text}"
        );
        assert!(text.contains("\"SEE ALSO\"\n\\fBtest\\-tool\\fR(1)"), "{text}");
    }

    #[test]
    fn the_same_bytes_each_time() {
        let bytes = || {
            pages::<Args>()
                .into_iter()
                .map(|page| page.roff)
                .collect::<Vec<_>>()
        };
        assert_eq!(bytes(), bytes());
    }
}
