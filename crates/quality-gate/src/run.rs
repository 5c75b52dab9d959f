//! `quality-gate run`: suite and server in, document and view out.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report, interrupted};
use contracts::fields::sha256_hex;
use contracts::quality_gate::result::{
    Api, Check, CheckStatus, Item, ModelIdentity, ResultData, SCHEMA, Settings, Suite,
};
use contracts::serve_bench::probe::ProbeData;
use contracts::{Exit, Field, FieldSet, NextAction};
use engine_client::{Endpoint, Headers};
use serde_json::json;
use tokio::task::JoinSet;

use crate::ask::{Asker, Reply};
use crate::checks::{self, Probed, Seen};
use crate::cli::{ApiArg, Args, RunArgs};
use crate::error::QualityError;
use crate::extract::extract;
use crate::records::Records;
use crate::suite::{self, Question};
use crate::{paired, render};

pub(crate) fn run(args: &RunArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let (questions, inputs) = suite::load(&args.suite, args.examples.as_ref())?;
    let endpoint = Endpoint::parse(&args.url)?;
    let mut headers = Headers::new();
    if let Some(variable) = &args.api_key_env {
        let key = std::env::var(variable).map_err(|_| QualityError::KeyMissing(variable.clone()))?;
        headers.set_bearer(&key)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(QualityError::Runtime)?;
    let _ = cli_kit::install_interrupt();
    let server = runtime.block_on(engine_client::probe(&endpoint, &headers))?;
    let served = engine_client::served_model(&server, args.model.as_deref())?;
    let mut parts = DocumentParts::new(SCHEMA);
    parts.simulated = server.simulated;
    parts.inputs = inputs;
    let binding = args.bind.read(None, server.simulated)?;
    let bound_id = binding.as_ref().and_then(|binding| {
        let id = binding.contract.known("model.id")?.as_str()?;
        Some(id.to_owned())
    });
    let model = ModelIdentity {
        id: args
            .model_id
            .clone()
            .or_else(|| bound_id.clone())
            .unwrap_or_else(|| served.clone()),
        served: served.clone(),
    };
    let contract = Contract {
        model,
        suite: Suite {
            sha256: suite::hash(&questions),
            items: questions.len() as u64,
        },
        settings: settings(args),
    };
    match binding {
        Some(binding) => parts.bind(binding),
        None => parts.contract = contract.fields(),
    }
    let mut records = match &args.records {
        Some(path) => Some(Records::open(path, &contract.key())?),
        None => None,
    };
    let asker = Asker {
        endpoint,
        headers,
        model: served,
        settings: contract.settings.clone(),
        timeout: Duration::from_secs(args.timeout),
    };
    let (probed, mut answers) = runtime.block_on(async {
        let probed = checks::probe(&asker).await;
        let answers = ask_all(&asker, &questions, args.concurrency, records.as_mut()).await;
        answers.map(|answers| (probed, answers))
    })?;
    for reply in &probed.first {
        answers.seen.add(reply);
    }
    parts.complete = answers.items.len() == questions.len();
    let mut checks = checks::all(
        &asker.model,
        &probed,
        &answers.seen,
        &answers.items,
        args.max_tps,
        args.pid,
    );
    checks.push(of_the_benchmark(bound_id.as_deref(), &contract.model.id));
    let data = data(server, contract, answers.items, &probed, checks);
    let exit = match (parts.complete, data.valid) {
        (false, _) => Exit::Interrupted,
        (true, true) => Exit::Ok,
        (true, false) => Exit::Undecided,
    };
    parts.summary = summary(&data);
    if data.valid {
        parts.next_actions = vec![NextAction::new(
            "the same suite on the other side, then the two against each other",
            &["quality-gate", "judge", "baseline.json", "candidate.json"],
        )];
    }
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = render::result(&document, output.top);
    Ok(Report::new(&document, view, exit))
}

fn settings(args: &RunArgs) -> Settings {
    Settings {
        api: match args.api {
            ApiArg::Chat => Api::Chat,
            ApiArg::Completions => Api::Completions,
        },
        seed: args.seed,
        max_tokens: args.max_tokens,
        stop: args.stop.clone(),
    }
}

/// What two results have to share.
struct Contract {
    model: ModelIdentity,
    suite: Suite,
    settings: Settings,
}

impl Contract {
    fn fields(&self) -> FieldSet {
        FieldSet::new(BTreeMap::from([
            ("model.id".to_owned(), Field::declared(self.model.id.clone())),
            (
                "quality.suite_sha256".to_owned(),
                Field::observed(self.suite.sha256.clone()),
            ),
            (
                "quality.settings".to_owned(),
                Field::declared(json!(self.settings)),
            ),
        ]))
    }

    fn key(&self) -> String {
        sha256_hex(
            json!([self.model, self.suite, self.settings])
                .to_string()
                .as_bytes(),
        )
    }
}

/// Items in the order of the suite, and what their replies show.
struct Answers {
    items: Vec<Item>,
    seen: Seen,
}

async fn ask_all(
    asker: &Asker,
    questions: &[Question],
    concurrency: u64,
    mut records: Option<&mut Records>,
) -> Result<Answers, Failure> {
    let mut seen = Seen::default();
    let mut done: BTreeMap<usize, Item> = BTreeMap::new();
    let mut waiting: VecDeque<usize> = VecDeque::new();
    for (at, question) in questions.iter().enumerate() {
        match records
            .as_ref()
            .and_then(|records| records.done.get(&question.id))
        {
            Some(item) => {
                done.insert(at, item.clone());
            }
            None => waiting.push_back(at),
        }
    }
    let mut running: JoinSet<(usize, Reply)> = JoinSet::new();
    loop {
        while (running.len() as u64) < concurrency && !interrupted() {
            let Some(at) = waiting.pop_front() else { break };
            let (asker, prompt) = (asker.clone(), questions[at].prompt.clone());
            running.spawn(async move { (at, asker.greedy(&prompt).await) });
        }
        let Some(finished) = running.join_next().await else {
            break;
        };
        let (at, reply) = finished.expect("no answer is aborted, and asking does not panic");
        seen.add(&reply);
        let item = item(&questions[at], reply);
        if let Some(records) = &mut records {
            records.keep(&item)?;
        }
        done.insert(at, item);
    }
    let items = done.into_values().collect();
    Ok(Answers { items, seen })
}

fn item(question: &Question, reply: Reply) -> Item {
    let text = reply.text.filter(|_| reply.error.is_none());
    let found = text.as_deref().and_then(|text| extract(text, question.kind));
    let (answer, level) = found.unzip();
    Item {
        id: question.id.clone(),
        category: question.category.clone(),
        prompt_sha256: sha256_hex(question.prompt.as_bytes()),
        expected: question.expected.clone(),
        correct: text.as_ref().map(|_| answer.as_ref() == Some(&question.expected)),
        answer,
        level,
        text_sha256: text.map(|text| sha256_hex(text.as_bytes())),
        finish_reason: reply.finish_reason,
        output_tokens: reply.output_tokens,
        error: reply.error,
    }
}

fn of_the_benchmark(bound: Option<&str>, id: &str) -> Check {
    let outcome = bound.map(|bound| bound == id);
    let evidence = match bound {
        None => "no benchmark was given with --for".to_owned(),
        Some(bound) => format!("the benchmark's model is `{bound}`, this one is `{id}`"),
    };
    checks::check("contract-model", outcome, evidence)
}

fn data(
    server: ProbeData,
    contract: Contract,
    items: Vec<Item>,
    probed: &Probed,
    checks: Vec<Check>,
) -> ResultData {
    let count = |wanted: fn(&Item) -> bool| items.iter().filter(|item| wanted(item)).count() as u64;
    let answered = count(|item| item.correct.is_some());
    let correct = count(|item| item.correct == Some(true));
    let failed = items.len() as u64 - answered;
    let has_failed_check = checks.iter().any(|check| check.status == CheckStatus::Fail);
    ResultData {
        valid: failed == 0 && answered == contract.suite.items && !has_failed_check,
        url: server.url,
        engine: server.engine,
        model: contract.model,
        suite: contract.suite,
        settings: contract.settings,
        answered,
        failed,
        correct,
        accuracy: paired::accuracy(correct, answered),
        probe_tokens: probed.tokens(),
        checks,
        items,
    }
}

fn summary(data: &ResultData) -> String {
    let failed = data
        .checks
        .iter()
        .filter(|check| check.status == CheckStatus::Fail);
    let failed: Vec<&str> = failed.map(|check| check.name.as_str()).collect();
    let rights = format!("{} of {} answers are right", data.correct, data.answered);
    match (data.failed, failed.as_slice()) {
        (0, []) => format!("{rights}; no check failed."),
        (cut, []) => format!("No evidence: {cut} items have no whole answer; {rights}."),
        (cut, failed) => format!(
            "No evidence: {} failed, {cut} items have no whole answer; {rights}.",
            failed.join(", ")
        ),
    }
}
