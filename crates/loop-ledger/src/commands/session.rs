//! `session`: a session file whose analysis cites what is stored, and the deployed configuration beside it.

use std::path::{Path, PathBuf};

use cli_kit::{Failure, Report};
use contracts::loop_ledger::entry::{Entry, Evidence};
use contracts::loop_ledger::event::{Event, Session};
use contracts::{Exit, Warning};
use jiff::Timestamp;

use super::{receipt, typed};
use crate::cli::{Iso, SessionArgs};
use crate::error::LedgerError;
use crate::ledger::{Root, Writer, objects};
use crate::render::{Documents, Source, source};
use crate::session::claim::{self, Claim};
use crate::session::lookup::{self, Finding};
use crate::session::{deployment, text};

/// Largest configuration that is kept.
const DEPLOYMENT_CAP: u64 = 1 << 20;
/// Stored documents above this size are not looked through.
const SEARCH_CAP: u64 = 64 << 20;

pub(crate) fn session(root: &Root, args: &SessionArgs) -> Result<Report, Failure> {
    let mut writer = Writer::open(root)?;
    let analysis: Vec<String> = args.analysis.iter().map(|line| typed(line)).collect();
    check(&writer, &analysis)?;
    let configuration = args.deployment.as_deref().map(read_deployment).transpose()?;
    let folder = args
        .sessions
        .clone()
        .unwrap_or_else(|| root.path().join("sessions"));
    let stamp = free_stamp(&folder, args.iso);
    let file = format!("debug-{stamp}.md");
    let beside = configuration.as_ref().map(|_| format!("dstack-{stamp}.yml"));
    let markdown = render(&writer, args, &analysis, &stamp, beside.as_deref());
    let mut evidence = vec![write(root, &folder, &file, markdown.as_bytes())?];
    if let (Some(bytes), Some(name)) = (&configuration, &beside) {
        evidence.push(write(root, &folder, name, bytes)?);
    }
    let attempt = source::state(&writer.ledger)
        .open_attempt()
        .map(|open| open.id.to_owned());
    let event = Event::Session(Session {
        file,
        deployment: beside,
    });
    let entry = writer.append(attempt, event, evidence)?;
    let warnings = if configuration.is_none() {
        vec![Warning::new(
            "no-deployment",
            "no deployed configuration was given (--deployment): the session says what was seen, and not of what",
        )]
    } else {
        Vec::new()
    };
    Ok(receipt(&writer.ledger, vec![entry], false, warnings))
}

fn render(
    writer: &Writer,
    args: &SessionArgs,
    analysis: &[String],
    stamp: &str,
    beside: Option<&str>,
) -> String {
    let ledger = &writer.ledger;
    let state = source::state(ledger);
    let documents = Documents::read(ledger);
    let source = Source {
        state: &state,
        head: ledger.chain.head(),
        documents: &documents,
    };
    let benchmark = state.benchmarks().rev().find_map(|accepted| {
        // Ours is the first side of a comparison; a single result of another engine is no metric of ours.
        let ours = source
            .measured(accepted)
            .first()
            .filter(|side| accepted.facts.sides.len() == 2 || side.framework == state.campaign.framework)?;
        Some((accepted.seq, accepted.facts.sha256.as_str(), ours))
    });
    text::markdown(&text::Session {
        title: format!("debug-{stamp}"),
        attempt: state.open_attempt().map(|open| open.id),
        seq: ledger.entries().len() as u64,
        head: source.head,
        simulated: source.simulated(),
        benchmark,
        analysis,
        findings: &typed(&args.findings),
        planned: &typed(&args.planned),
        deployment: beside,
    })
}

/// Every line claims something, and everything that it claims stands in a stored document.
fn check(writer: &Writer, analysis: &[String]) -> Result<(), Failure> {
    let mut lines = Vec::new();
    let mut all: Vec<(Claim, Finding)> = Vec::new();
    for line in analysis {
        let claims = claim::claims(line);
        if claims.is_empty() {
            return Err(unfounded(line, "it claims no value".to_owned()));
        }
        for claim in claims {
            lines.push(line);
            all.push((claim, Finding::default()));
        }
    }
    // The newest first: that is what an analysis is mostly about.
    for evidence in writer.ledger.entries().iter().rev().flat_map(stored) {
        if all.iter().all(|(_, finding)| finding.founded) {
            break;
        }
        if let Ok(Some(bytes)) = objects::get(&writer.ledger.root, &evidence.sha256)
            && let Some(document) = parse(&bytes)
        {
            lookup::look(&document, &mut all);
        }
    }
    match all.iter().zip(lines).find(|((_, finding), _)| !finding.founded) {
        None => Ok(()),
        Some(((claim, finding), line)) if finding.others.is_empty() => Err(unfounded(
            line,
            format!("no stored document has a value named {}", claim.name),
        )),
        Some(((claim, finding), line)) => Err(unfounded(
            line,
            format!(
                "{} is {} in the stored documents",
                claim.name,
                finding.others.join(" or ")
            ),
        )),
    }
}

fn stored(entry: &Entry) -> impl Iterator<Item = &Evidence> {
    // A session file cites; what it says is no evidence of itself.
    let is_session = matches!(entry.event, Event::Session(_));
    entry.evidence.iter().filter(move |evidence| {
        !is_session && evidence.stored && evidence.schema.is_some() && evidence.bytes <= SEARCH_CAP
    })
}

fn parse(bytes: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_slice(bytes)
        .ok()
        .or_else(|| cli_kit::yaml_value(bytes).ok())
}

fn unfounded(line: &str, why: String) -> Failure {
    Failure::new(
        Exit::Drift,
        "claim-unfounded",
        format!(
            "failed to write the session: \"{}\": {}",
            contracts::text::clean(line, 200),
            contracts::text::clean(&why, 300)
        ),
    )
    .hint("cite a value as it stands in an appended document: KEY=VALUE, a dotted path such as latency.tpot_ms.p50=8.70, or `row name`: KEY=VALUE; append the document first")
}

fn read_deployment(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = cli_kit::read_bounded(path, DEPLOYMENT_CAP)?;
    let configuration = cli_kit::yaml_value(&bytes).map_err(|what| {
        Failure::new(
            Exit::BadInput,
            "input-not-yaml",
            format!("{} is {what}", path.display()),
        )
        .hint("give the configuration as it was applied")
    })?;
    match deployment::secret(&configuration) {
        Some(name) => Err(Failure::new(
            Exit::BadInput,
            "secret-in-deployment",
            format!(
                "{} holds the value of {}",
                path.display(),
                contracts::text::clean(&name, 80)
            ),
        )
        .hint("name the variable without its value, or refer to a secret store")),
        None => Ok(bytes),
    }
}

/// A time that no session in the folder has yet; two in one second are told apart by a number.
fn free_stamp(folder: &Path, iso: Iso) -> String {
    let format = match iso {
        Iso::Basic => "%Y%m%dT%H%M%SZ",
        Iso::Extended => "%Y-%m-%dT%H:%M:%SZ",
    };
    let stamp = Timestamp::now().strftime(format).to_string();
    let is_free = |stamp: &String| {
        !folder.join(format!("debug-{stamp}.md")).exists()
            && !folder.join(format!("dstack-{stamp}.yml")).exists()
    };
    if is_free(&stamp) {
        return stamp;
    }
    (2..)
        .map(|number| format!("{stamp}-{number}"))
        .find(is_free)
        .expect("there are more numbers than files")
}

fn write(root: &Root, folder: &Path, name: &str, bytes: &[u8]) -> Result<Evidence, LedgerError> {
    let path: PathBuf = folder.join(name);
    let io = |error: std::io::Error| LedgerError::io("write", &path, &error);
    super::render::replace(&path, bytes).map_err(io)?;
    let sha256 = objects::put(root, bytes).map_err(io)?;
    Ok(Evidence {
        path: format!("sessions/{name}"),
        sha256,
        bytes: bytes.len() as u64,
        schema: None,
        schema_sha256: None,
        stored: true,
    })
}
