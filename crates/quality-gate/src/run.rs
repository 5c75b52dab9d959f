//! `quality-gate run`: suite and server in, document and view out.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report, interrupted};
use contracts::fields::sha256_hex;
use contracts::quality_gate::agreement::{Agreement, Prompts};
use contracts::quality_gate::record::{self, RecordHeader, RecordLine};
use contracts::quality_gate::result::{
    Api, Check, CheckStatus, Item, ModelIdentity, ResultData, SCHEMA, Settings, Suite,
};
use contracts::serve_bench::probe::ProbeData;
use contracts::{Exit, Field, FieldSet, NextAction, Warning};
use engine_client::{Endpoint, Headers};
use serde_json::json;
use tokio::task::JoinSet;

use crate::against::{self, Baseline};
use crate::ask::{Asker, Reply};
use crate::checks::{self, Probed, Seen};
use crate::cli::{ApiArg, Args, RunArgs};
use crate::error::QualityError;
use crate::extract::extract;
use crate::prompts::{self, Asking, Prompt};
use crate::records::Records;
use crate::suite::{self, Question};
use crate::watch_net::Watch;
use crate::{agreement, ask_prompts, chance, paired, render};

pub(crate) fn run(args: &RunArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let (questions, mut inputs) = match args.suite.as_slice() {
        [] => (Vec::new(), Vec::new()),
        suite => suite::load(suite, args.examples.as_ref())?,
    };
    let workload = match &args.workload {
        Some(path) => {
            let asking = asking(args);
            let (prompts, input) = prompts::load(path, &asking)?;
            inputs.push(input);
            Some((prompts::unanswered(&prompts, &asking), prompts))
        }
        None => None,
    };
    let baseline = args.against.as_deref().map(against::open).transpose()?;
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
    let simulated = server.simulated;
    parts.simulated = simulated;
    if let Some(Baseline::Kept { input, .. }) = &baseline {
        inputs.push((**input).clone());
    }
    parts.inputs = inputs;
    let binding = args.bind.read(None, server.simulated)?;
    let other = binding
        .as_ref()
        .map(|binding| binding.other_launch(&server.settings));
    if let Some(names) = other.filter(|names| !names.is_empty()) {
        return Err(QualityError::OtherLaunch(names.into_iter().take(MOST_NAMES).collect()).into());
    }
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
        prompts: workload.as_ref().map(|(asked, _)| asked.sha256.clone()),
    };
    if let (Some((asked, _)), Some(baseline)) = (&workload, &baseline) {
        comparable(baseline, asked, &contract.model.id, server.simulated)?;
    }
    let launch = binding
        .as_ref()
        .and_then(|binding| binding.subject.fingerprint.clone());
    match binding {
        Some(binding) => parts.bind(binding),
        None => parts.contract = contract.fields(),
    }
    let mut records = match &args.records {
        Some(path) => {
            let asked = RecordHeader {
                schema: record::SCHEMA.to_owned(),
                run: contract.key(&server, launch.as_deref()),
                url: server.url.clone(),
                model: contract.model.id.clone(),
                simulated,
                prompts: workload.as_ref().map(|(asked, _)| asked.clone()),
            };
            let records = Records::open(path, asked)?;
            parts.warnings.extend(kept(&records));
            Some(records)
        }
        None => None,
    };
    let asker = Asker {
        endpoint,
        headers,
        model: served,
        settings: contract.settings.clone(),
        timeout: Duration::from_secs(args.timeout),
    };
    let watch = args.pid.map(Watch::begin);
    let asked = runtime.block_on(async {
        let probed = checks::probe(&asker).await;
        let answers = ask_all(&asker, &questions, args.concurrency, records.as_mut()).await?;
        let said = match workload {
            Some((asked, prompts)) => Some(
                said(
                    &asker,
                    args,
                    asked,
                    &prompts,
                    baseline,
                    simulated,
                    records.as_mut(),
                )
                .await?,
            ),
            None => None,
        };
        Ok::<_, Failure>((probed, answers, said))
    });
    let outside = watch.map(Watch::end);
    let (probed, mut answers, said) = asked?;
    for reply in &probed.first {
        answers.seen.add(reply);
    }
    let is_all = |said: &Said| said.prompts.answers.len() as u64 == said.prompts.count && said.is_whole;
    parts.complete = answers.items.len() == questions.len() && said.as_ref().is_none_or(is_all);
    let mut checks = checks::all(
        &asker.model,
        &probed,
        &answers.seen,
        &answers.items,
        args.max_tps,
        outside.as_ref(),
    );
    checks.push(of_the_benchmark(bound_id.as_deref(), &contract.model.id));
    checks.extend(said.as_ref().and_then(|said| said.check.clone()));
    let data = data(server, contract, answers.items, said, &probed, checks);
    let exit = match (parts.complete, data.valid) {
        (false, _) => Exit::Interrupted,
        (true, true) => Exit::Ok,
        (true, false) => Exit::Undecided,
    };
    parts.summary = summary(&data);
    if data.valid {
        parts.next_actions = vec![NextAction::new(
            "the same on the other side, then the two against each other",
            &["quality-gate", "judge", "baseline.json", "candidate.json"],
        )];
    }
    parts.next_actions.extend(longer(args, &data));
    parts.warnings.extend(chance::warning(&questions, &data));
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = render::result(&document, output.top);
    Ok(Report::new(&document, view, exit))
}

/// What to do where answers reach their limit, again and again.
fn longer(args: &RunArgs, data: &ResultData) -> Option<NextAction> {
    let cut = data.items.iter().filter(|item| item.is_cut()).count();
    if data.unanswered() == 0 || cut == 0 {
        return None;
    }
    let why = format!(
        "{cut} of {} answers reached --max-tokens {}: a higher limit on both sides; for a model that does not stop by itself --stop \
         or --examples with --api completions",
        data.items.len(),
        args.max_tokens
    );
    let most = (args.max_tokens * 4).min(MOST_TOKENS).to_string();
    let suites: Vec<String> = args.suite.iter().map(|path| path.display().to_string()).collect();
    let mut words = vec!["quality-gate", "run", "--url", data.url.as_str(), "--suite"];
    words.extend(suites.iter().map(String::as_str));
    words.extend(["--max-tokens", &most, "-o", "longer.json"]);
    Some(NextAction::new(why, &words))
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

fn asking(args: &RunArgs) -> Asking {
    Asking {
        count: usize::try_from(args.prompts).unwrap_or(usize::MAX),
        seed: args.seed,
        max_tokens: args.prompt_tokens,
        top_logprobs: args.top_logprobs,
    }
}

/// Whether kept answers are to the same prompts, of the same model, and as real as ours.
fn comparable(baseline: &Baseline, asked: &Prompts, model: &str, simulated: bool) -> Result<(), Failure> {
    let Baseline::Kept {
        prompts,
        model: other,
        simulated: other_simulated,
        ..
    } = baseline
    else {
        return Ok(());
    };
    let mut differing = against::differences(prompts, asked);
    if other != model {
        differing.push("model.id".to_owned());
    }
    if *other_simulated != simulated {
        differing.push("simulated".to_owned());
    }
    match differing.is_empty() {
        true => Ok(()),
        false => Err(QualityError::NotComparable(differing).into()),
    }
}

/// Answers to the workload's prompts, and what they have in common with the baseline's.
struct Said {
    prompts: Prompts,
    agreement: Option<Agreement>,
    check: Option<Check>,
    /// False where asking a baseline's server was interrupted.
    is_whole: bool,
}

async fn said(
    asker: &Asker,
    args: &RunArgs,
    mut asked: Prompts,
    prompts: &[Prompt],
    baseline: Option<Baseline>,
    simulated: bool,
    records: Option<&mut Records>,
) -> Result<Said, Failure> {
    let top = asked.top_logprobs;
    let mut is_whole = true;
    let other = match baseline {
        None => None,
        Some(Baseline::Kept { prompts, .. }) => Some(*prompts),
        Some(Baseline::Server(endpoint)) => {
            let baseline = against::asker(endpoint, asker, simulated).await?;
            let mut other = asked.clone();
            other.answers = ask_prompts::ask(&baseline, prompts, top, args.concurrency, None).await?;
            is_whole = other.answers.len() as u64 == other.count;
            Some(other)
        }
    };
    asked.answers = ask_prompts::ask(asker, prompts, top, args.concurrency, records).await?;
    Ok(Said {
        agreement: other.as_ref().map(|other| agreement::compare(other, &asked)),
        check: other.as_ref().map(|other| against::tokenizer(other, &asked)),
        is_whole,
        prompts: asked,
    })
}

/// Answers that were not asked now. A server that was launched anew, and does not say with which flags, looks the same.
fn kept(records: &Records) -> Option<Warning> {
    let count = records.done.len() + records.prompts.len();
    (count > 0).then(|| {
        Warning::new(
            "answers-kept",
            format!(
                "{count} answers are those of the records, from before: if the server was launched anew meanwhile, begin with other --records"
            ),
        )
    })
}

/// Settings that an error names.
const MOST_NAMES: usize = 8;

/// The highest `--max-tokens`.
pub(crate) const MOST_TOKENS: u64 = 65_536;

/// What two results have to share.
struct Contract {
    model: ModelIdentity,
    suite: Suite,
    settings: Settings,
    prompts: Option<String>,
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

    /// What has to be equal for answers of an earlier run to be this server's, and of the launch that a benchmark measured.
    fn key(&self, server: &ProbeData, launch: Option<&str>) -> String {
        let mut parts = vec![json!(self.model), json!(self.suite), json!(self.settings)];
        parts.extend([json!(server.url), json!(server.engine), json!(server.settings)]);
        parts.push(json!(launch));
        parts.extend(self.prompts.as_ref().map(|sha256| json!(sha256)));
        sha256_hex(json!(parts).to_string().as_bytes())
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
            records.keep(RecordLine::Item(Box::new(item.clone())))?;
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
    said: Option<Said>,
    probed: &Probed,
    checks: Vec<Check>,
) -> ResultData {
    let count = |wanted: fn(&Item) -> bool| items.iter().filter(|item| wanted(item)).count() as u64;
    let answered = count(|item| item.correct.is_some());
    let correct = count(|item| item.correct == Some(true));
    let failed = items.len() as u64 - answered;
    let (prompts, agreement) = said.map(|said| (said.prompts, said.agreement)).unzip();
    let agreement = agreement.flatten();
    let is_unsaid = |prompts: &Prompts| prompts.answers.iter().any(|answer| answer.error.is_some());
    let has_unsaid = prompts.as_ref().is_some_and(is_unsaid);
    let has_failed_check = checks.iter().any(|check| check.status == CheckStatus::Fail);
    let mut data = ResultData {
        valid: false,
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
        prompts,
        agreement,
    };
    data.valid = data.unanswered() == 0
        && data.items.len() as u64 == data.suite.items
        && !has_failed_check
        && !has_unsaid;
    data
}

fn summary(data: &ResultData) -> String {
    let failed = data
        .checks
        .iter()
        .filter(|check| check.status == CheckStatus::Fail);
    let failed: Vec<&str> = failed.map(|check| check.name.as_str()).collect();
    let rights = match &data.prompts {
        _ if data.suite.items > 0 => format!("{} of {} answers are right", data.correct, data.answered),
        None => "nothing was asked".to_owned(),
        Some(prompts) => format!("{} prompts were answered", prompts.answers.len()),
    };
    let rights = match &data.agreement {
        None => rights,
        Some(found) => format!(
            "{rights}; {} of {} prompts are answered with the baseline's text",
            found.same, found.prompts
        ),
    };
    let said = data.prompts.iter().flat_map(|prompts| &prompts.answers);
    let unsaid = said.filter(|answer| answer.error.is_some()).count() as u64;
    let cut = data.failed + unsaid;
    let cut = (cut > 0).then(|| format!("{cut} items have no whole answer"));
    match (data.valid, cut, failed.as_slice()) {
        (true, None, _) => format!("{rights}; no check failed."),
        (true, Some(cut), _) => format!("{rights}; {cut}, few enough; no check failed."),
        (false, cut, failed) => {
            let why = (!failed.is_empty()).then(|| format!("{} failed", failed.join(", ")));
            let why: Vec<String> = why.into_iter().chain(cut).collect();
            format!("No evidence: {}; {rights}.", why.join(", "))
        }
    }
}
