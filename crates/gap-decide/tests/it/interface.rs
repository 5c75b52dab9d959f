//! The command line: it is consistent, and its help is what the snapshot says.

use cli_kit::Cli as _;
use gap_decide::cli::Args;

#[test]
fn arguments_are_consistent() {
    cli_kit::command::<Args>().debug_assert();
}

#[test]
fn help_ends_with_exit_codes_and_examples() {
    let help = cli_kit::command::<Args>()
        .term_width(100)
        .render_long_help()
        .to_string();
    insta::assert_snapshot!(help);
}

#[test]
fn every_schema_of_the_tool_is_published() {
    for (_, id) in Args::TOOL.schemas {
        assert!(contracts::schema::find(id).is_some(), "{id}");
    }
}

#[test]
fn the_committed_study_is_of_this_design_and_keeps_its_promises() {
    let page = include_str!("../../CALIBRATION.md");
    assert!(page.contains("| reached |") && !page.contains("not reached"));
    for look in stats::group_sequential::Design::new(0.05).looks() {
        let row = format!(
            "| {} | {:.3} | {:.3} | {} |",
            look.pairs,
            100.0 * look.nominal_alpha,
            100.0 * look.spent_alpha,
            look.critical.unwrap()
        );
        assert!(page.contains(&row), "{row}");
    }
}
