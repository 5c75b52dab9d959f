//! The baseline of `--against`: a result, the records of a run, or a server that is asked the same prompts now.

use std::path::Path;

use cli_kit::{Failure, load_document, read_bounded};
use contracts::Input;
use contracts::quality_gate::agreement::Prompts;
use contracts::quality_gate::result::{self, Check, ResultData};
use engine_client::{Endpoint, Headers};

use crate::ask::Asker;
use crate::checks;
use crate::error::QualityError;
use crate::records;

/// What the candidate is held against.
pub(crate) enum Baseline {
    /// Answers of an earlier run, and the model that gave them.
    Kept {
        prompts: Box<Prompts>,
        model: String,
        simulated: bool,
        input: Box<Input>,
    },
    /// A server.
    Server(Endpoint),
}

/// Takes the word after `--against`.
pub(crate) fn open(word: &str) -> Result<Baseline, Failure> {
    if word.starts_with("http://") || word.starts_with("https://") {
        return Ok(Baseline::Server(Endpoint::parse(word)?));
    }
    let path = Path::new(word);
    let bytes = read_bounded(path, records::CAP)?;
    let without = || Failure::from(QualityError::NoPrompts(word.to_owned()));
    if let Some(header) = records::header(&bytes) {
        let mut prompts = header.prompts.ok_or_else(without)?;
        prompts.answers = records::answers(&bytes);
        return Ok(Baseline::Kept {
            prompts: Box::new(prompts),
            model: header.model,
            simulated: header.simulated,
            input: Box::new(cli_kit::input_of(path, &bytes)),
        });
    }
    let loaded = load_document::<ResultData>(path, result::SCHEMA)?;
    let document = loaded.document;
    Ok(Baseline::Kept {
        prompts: Box::new(document.data.prompts.ok_or_else(without)?),
        model: document.data.model.id,
        simulated: document.simulated,
        input: Box::new(loaded.input),
    })
}

/// What keeps two sides' prompts from being compared, by name.
pub(crate) fn differences(baseline: &Prompts, candidate: &Prompts) -> Vec<String> {
    let named = [
        (
            "prompts",
            baseline.count != candidate.count || baseline.sha256 != candidate.sha256,
        ),
        (
            "prompt settings",
            (baseline.seed, baseline.max_tokens) != (candidate.seed, candidate.max_tokens),
        ),
    ];
    let differing = named.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(name, _)| name.to_owned()).collect()
}

/// Another tokenizer, or another prompt template, shows in how long the same prompts are.
pub(crate) fn tokenizer(baseline: &Prompts, candidate: &Prompts) -> Check {
    let lengths = |prompts: &Prompts| -> Option<Vec<u64>> {
        prompts.answers.iter().map(|answer| answer.input_tokens).collect()
    };
    let both = lengths(baseline).zip(lengths(candidate));
    let both = both.filter(|(a, b)| a.len() == b.len() && !a.is_empty());
    let evidence = match &both {
        None => "a server does not count the tokens of every prompt".to_owned(),
        Some((a, b)) => {
            let differ = a.iter().zip(b).filter(|(a, b)| a != b).count();
            format!("{differ} of {} prompts have another number of tokens", a.len())
        }
    };
    checks::check("prompt-tokens-equal", both.map(|(a, b)| a == b), evidence)
}

/// Who is asked where the baseline is a server. It gets no credential: the one that was given is the candidate's.
pub(crate) async fn asker(endpoint: Endpoint, like: &Asker, simulated: bool) -> Result<Asker, Failure> {
    let headers = Headers::new();
    let server = engine_client::probe(&endpoint, &headers).await?;
    let model = engine_client::served_model(&server, None)?;
    if server.simulated != simulated {
        return Err(QualityError::NotComparable(vec!["simulated".to_owned()]).into());
    }
    Ok(Asker {
        endpoint,
        headers,
        model,
        settings: like.settings.clone(),
        timeout: like.timeout,
    })
}
