//! `probe`: who answers at a URL.

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::serve_bench::probe::SCHEMA;
use contracts::{Exit, NextAction};

use crate::cli::{Args, ServerArgs};
use crate::identity;
use crate::server::Server;
use crate::view;

pub(crate) fn probe(args: &ServerArgs, _output: &OutputArgs) -> Result<Report, Failure> {
    let server = Server::connect(&args.url, &args.request)?;
    let mut parts = DocumentParts::new(SCHEMA);
    parts.simulated = server.probe.simulated;
    parts.environment = cli_kit::environment();
    parts.subject = identity::subject(None, &server.probe, &mut parts.warnings);
    parts.summary = format!(
        "{} {} serves {} at {}",
        server.probe.engine.kind.name(),
        server
            .probe
            .engine
            .version
            .as_deref()
            .unwrap_or("(version unknown)"),
        server.probe.models.join(", "),
        server.probe.url
    );
    parts.next_actions.push(NextAction::new(
        "measure it",
        &["serve-bench", "run", "--url", &args.url, "-o", "result.json"],
    ));
    let document = cli_kit::document(&Args::TOOL, parts, server.probe);
    Ok(Report::new(&document, view::probe(&document), Exit::Ok))
}
