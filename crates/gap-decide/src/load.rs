//! Reading documents and sorting their runs into comparisons.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use cli_kit::{Failure, Loaded, load_document};
use contracts::fields::sha256_hex;
use contracts::serve_bench::compare::{self, CompareData, Side};
use contracts::serve_bench::result::{self, ResultData, TargetInfo, WorkloadInfo};
use contracts::serve_bench::run::Run;
use contracts::serve_bench::workload::Purpose;
use contracts::{Document, FieldSet, Input, Warning};

use crate::error::EvidenceError;
use crate::evidence::{Matchup, Pairing, Part, SideEvidence};
use crate::plan::{DecidePlan, Sources};

/// Everything that was read.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    /// Comparisons, by scenario name and then in the order given.
    pub(crate) matchups: Vec<Matchup>,
    /// Files.
    pub(crate) inputs: Vec<Input>,
    /// What could mislead.
    pub(crate) warnings: Vec<Warning>,
}

/// Digests of runs: what was already counted, and what chose the candidate.
#[derive(Debug, Default)]
struct Ledger {
    seen: HashSet<String>,
    chose: HashSet<String>,
}

impl Ledger {
    /// Whether the run may count; counting one twice is an error.
    fn admit(&mut self, runs: &[&Run], document: &str) -> Result<bool, EvidenceError> {
        let mut admitted = true;
        for run in runs {
            let digest = digest(run);
            admitted &= !self.chose.contains(&digest);
            if !self.seen.insert(digest) {
                return Err(EvidenceError::Duplicate {
                    document: document.to_owned(),
                });
            }
        }
        Ok(admitted)
    }
}

/// The content of a run, whatever its number in its document.
fn digest(run: &Run) -> String {
    let numberless = Run {
        run: 0,
        ..run.clone()
    };
    sha256_hex(&serde_json::to_vec(&numberless).expect("a run has string keys and finite numbers"))
}

/// Reads all documents of a plan.
pub(crate) fn load(plan: &DecidePlan) -> Result<Evidence, Failure> {
    let mut evidence = Evidence::default();
    let mut ledger = Ledger::default();
    for path in &plan.chosen_by {
        let read = runs_of_any(path)?;
        ledger.chose.extend(
            read.pairs
                .iter()
                .flat_map(|(a, b)| [Some(a), b.as_ref()])
                .flatten()
                .map(digest),
        );
        evidence.inputs.push(read.input);
    }
    match &plan.sources {
        Sources::Compare { documents, ours_is_b } => {
            let mut loaded: Vec<Loaded<CompareData>> = cli_kit::load_documents(documents, compare::SCHEMA)?;
            // Pairs count in the order in which they were measured, whatever the order of the words.
            loaded.sort_by_key(|one| (first_start(&one.document.data), one.document.created_at));
            for one in &loaded {
                evidence.add_compare(one, *ours_is_b, &mut ledger)?;
            }
        }
        Sources::Results { ours, theirs } => evidence.add_results(ours, theirs, &mut ledger)?,
    }
    evidence.matchups.sort_by(|a, b| a.scenario.cmp(&b.scenario));
    Ok(evidence)
}

fn first_start(data: &CompareData) -> Option<jiff::Timestamp> {
    let window = |run: &Run| run.windows.full.as_ref().map(|window| window.start_at);
    data.blocks
        .iter()
        .flat_map(|block| [window(&block.a), window(&block.b)])
        .flatten()
        .min()
}

/// A run, and the run it was interleaved with in a comparison.
pub(crate) type RunPair = (Run, Option<Run>);

/// The runs of a comparison (as pairs) or of a result, whichever the file is.
#[derive(Debug)]
pub(crate) struct AnyRuns {
    /// The runs.
    pub(crate) pairs: Vec<RunPair>,
    /// Whether a simulated engine answered.
    pub(crate) simulated: bool,
    /// The file.
    pub(crate) input: Input,
}

/// Reads a comparison or a result.
pub(crate) fn runs_of_any(path: &Path) -> Result<AnyRuns, Failure> {
    match load_document::<CompareData>(path, compare::SCHEMA) {
        Ok(one) => {
            let pairs = one
                .document
                .data
                .blocks
                .into_iter()
                .map(|block| (block.a, Some(block.b)))
                .collect();
            Ok(AnyRuns {
                pairs,
                simulated: one.document.simulated,
                input: one.input,
            })
        }
        // Stdin cannot be read a second time.
        Err(failure) if failure.document.code == "schema-foreign" && path.as_os_str() != "-" => {
            let one = load_document::<ResultData>(path, result::SCHEMA)?;
            let pairs = one
                .document
                .data
                .runs
                .into_iter()
                .map(|run| (run, None))
                .collect();
            Ok(AnyRuns {
                pairs,
                simulated: one.document.simulated,
                input: one.input,
            })
        }
        Err(failure) => Err(failure),
    }
}

impl Evidence {
    fn add_compare(
        &mut self,
        one: &Loaded<CompareData>,
        ours_is_b: bool,
        ledger: &mut Ledger,
    ) -> Result<(), EvidenceError> {
        let (document, path) = (&one.document, one.input.path.as_str());
        let data = &document.data;
        self.note_document(document, &one.input);
        refuse_diagnostic(&data.workload, path)?;
        if data.blocks.is_empty() {
            return Err(EvidenceError::NoRuns {
                document: path.to_owned(),
            });
        }
        let part = |side: &Side, letter: char| Part {
            label: format!("{path} side {letter} ({})", shown(&side.name)),
            path: path.to_owned(),
            is_b: letter == 'b',
            records: records_of(&document.artifacts),
            measured: count(data.blocks.len()),
            contract: side.contract.clone(),
            subject: side.subject.clone(),
            environment: document.environment.clone(),
            simulated: document.simulated,
            imported: false,
            plan: data.plan.clone(),
        };
        let parts = [part(&data.a, 'a'), part(&data.b, 'b')];
        for part in &parts {
            check_integrity(part, &data.workload, path)?;
        }
        let [part_a, part_b] = parts;
        let evidence_of = |side: &Side, part: Part| SideEvidence {
            name: shown(&side.name),
            engine: engine(&side.target),
            url: shown(&side.target.url),
            launch_argv: side.launch_argv.clone(),
            runs: Vec::new(),
            parts: vec![part],
        };
        let (a, b) = (evidence_of(&data.a, part_a), evidence_of(&data.b, part_b));
        let (ours, other) = if ours_is_b { (b, a) } else { (a, b) };
        let swap = data.swap;
        let matchup = self.matchup(
            &shown(&data.workload.scenario),
            ours,
            other,
            Pairing::Interleaved { swap },
        );
        for block in &data.blocks {
            if !ledger.admit(&[&block.a, &block.b], path)? {
                matchup.excluded += 1;
                continue;
            }
            let (ours, other) = if ours_is_b {
                (&block.b, &block.a)
            } else {
                (&block.a, &block.b)
            };
            matchup.ours.runs.push(ours.clone());
            matchup.other.runs.push(other.clone());
        }
        Ok(())
    }

    /// The comparison that these sides belong to: pooled with earlier documents of the same two names, else new.
    fn matchup(
        &mut self,
        scenario: &str,
        ours: SideEvidence,
        other: SideEvidence,
        pairing: Pairing,
    ) -> &mut Matchup {
        let found = self
            .matchups
            .iter()
            .position(|m| m.scenario == scenario && m.other.name == other.name && m.pairing == pairing);
        let index = match found {
            Some(index) => {
                let matchup = &mut self.matchups[index];
                matchup.ours.parts.extend(ours.parts);
                matchup.other.parts.extend(other.parts);
                index
            }
            None => {
                self.matchups.push(Matchup {
                    scenario: scenario.to_owned(),
                    ours,
                    other,
                    pairing,
                    excluded: 0,
                });
                self.matchups.len() - 1
            }
        };
        &mut self.matchups[index]
    }

    fn add_results(
        &mut self,
        ours: &[PathBuf],
        theirs: &[(String, Vec<PathBuf>)],
        ledger: &mut Ledger,
    ) -> Result<(), Failure> {
        let mut ours_sides = Vec::new();
        for path in ours {
            self.read_result(path, None, &mut ours_sides, ledger)?;
        }
        for (name, paths) in theirs {
            let mut sides = Vec::new();
            for path in paths {
                self.read_result(path, Some(name), &mut sides, ledger)?;
            }
            for (scenario, other, excluded) in sides {
                let Some((_, ours, ours_excluded)) =
                    ours_sides.iter().find(|(known, _, _)| *known == scenario)
                else {
                    return Err(EvidenceError::ScenarioMissing {
                        scenario,
                        missing: "ours".to_owned(),
                    }
                    .into());
                };
                let excluded = excluded + ours_excluded;
                let ours = ours.clone();
                self.matchups.push(Matchup {
                    scenario,
                    ours,
                    other,
                    pairing: Pairing::Apart,
                    excluded,
                });
            }
        }
        for (scenario, _, _) in &ours_sides {
            for (name, _) in theirs {
                if !self
                    .matchups
                    .iter()
                    .any(|m| m.scenario == *scenario && m.other.name == *name)
                {
                    let (scenario, missing) = (scenario.clone(), name.clone());
                    return Err(EvidenceError::ScenarioMissing { scenario, missing }.into());
                }
            }
        }
        Ok(())
    }

    fn read_result(
        &mut self,
        path: &Path,
        name: Option<&str>,
        sides: &mut Vec<(String, SideEvidence, u32)>,
        ledger: &mut Ledger,
    ) -> Result<(), Failure> {
        let one: Loaded<ResultData> = load_document(path, result::SCHEMA)?;
        let (document, label) = (&one.document, one.input.path.clone());
        let data = &document.data;
        self.note_document(document, &one.input);
        refuse_diagnostic(&data.workload, &label)?;
        if data.runs.is_empty() {
            return Err(EvidenceError::NoRuns { document: label }.into());
        }
        let part = Part {
            label: label.clone(),
            path: label.clone(),
            is_b: false,
            records: records_of(&document.artifacts),
            measured: count(data.runs.len()),
            contract: document.contract.clone(),
            subject: document.subject.clone(),
            environment: document.environment.clone(),
            simulated: document.simulated,
            imported: data.imported_from.is_some(),
            plan: data.plan.clone(),
        };
        check_integrity(&part, &data.workload, &label)?;
        let scenario = &shown(&data.workload.scenario);
        let index = match sides.iter().position(|(known, _, _)| known == scenario) {
            Some(index) => {
                sides[index].1.parts.push(part);
                index
            }
            None => {
                let side = SideEvidence {
                    name: name.unwrap_or("ours").to_owned(),
                    engine: engine(&data.target),
                    url: shown(&data.target.url),
                    launch_argv: None,
                    runs: Vec::new(),
                    parts: vec![part],
                };
                sides.push((scenario.clone(), side, 0));
                sides.len() - 1
            }
        };
        let (_, side, excluded) = &mut sides[index];
        for run in &data.runs {
            if ledger.admit(&[run], &label)? {
                side.runs.push(run.clone());
            } else {
                *excluded += 1;
            }
        }
        Ok(())
    }

    fn note_document<D>(&mut self, document: &Document<D>, input: &Input) {
        self.inputs.push(input.clone());
        if !document.complete {
            self.warnings.push(Warning::new(
                "incomplete-document",
                format!(
                    "{} was interrupted; what it measured until then counts",
                    input.path
                ),
            ));
        }
    }
}

fn records_of(artifacts: &[contracts::Artifact]) -> Vec<String> {
    artifacts
        .iter()
        .filter(|artifact| artifact.kind == "request_records")
        .map(|artifact| artifact.path.clone())
        .collect()
}

/// Names come from documents, and documents from anywhere.
fn shown(text: &str) -> String {
    contracts::text::clean(text, 200)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn engine(target: &TargetInfo) -> String {
    let kind = target.engine.kind.name();
    match &target.engine.version {
        Some(version) => format!("{kind} {}", contracts::text::clean(version, 80)),
        None => kind.to_owned(),
    }
}

fn refuse_diagnostic(workload: &WorkloadInfo, path: &str) -> Result<(), EvidenceError> {
    match workload.purpose {
        Purpose::Evidence => Ok(()),
        Purpose::Diagnostic => Err(EvidenceError::Diagnostic {
            scenario: shown(&workload.scenario),
            document: path.to_owned(),
        }),
    }
}

/// Fingerprints fit their fields, and the workload hash of the data is the one of the contract.
fn check_integrity(part: &Part, workload: &WorkloadInfo, path: &str) -> Result<(), EvidenceError> {
    let intact = |set: &FieldSet, name: &'static str| {
        if set.is_intact() {
            Ok(())
        } else {
            Err(EvidenceError::Tampered {
                document: part.label.clone(),
                set: name,
            })
        }
    };
    intact(&part.contract, "contract")?;
    intact(&part.subject, "subject")?;
    let in_contract = part
        .contract
        .known(contracts::fields::contract_field::REQUEST_STREAM);
    match in_contract.and_then(|value| value.as_str()) {
        Some(hash) if hash != workload.request_stream_sha256 => Err(EvidenceError::WorkloadHash {
            document: path.to_owned(),
            in_data: shown(&workload.request_stream_sha256),
            in_contract: shown(hash),
        }),
        _ => Ok(()),
    }
}
