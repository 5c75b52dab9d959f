//! Asking a store for the past of its targets.

use std::collections::BTreeSet;

use contracts::serve_bench::result::EngineKind;
use contracts::telemetry_fetch::source::SourceKind;
use contracts::text::clean;
use engine_client::{Endpoint, Headers, Scraper};
use jiff::Timestamp;

use super::answer::{self, Unusable};
use super::columns::{self, Target};
use super::error::StoreError;
use super::selector;
use crate::clock::Lead;
use crate::history::Labels;
use crate::observed::ObservedSource;

/// Most targets of one window.
const MOST_TARGETS: usize = 16;
/// Longest answer that the client reads; a longer one arrives cut.
const LONGEST_ANSWER: usize = 64 << 20;
/// Fewer readings have nothing between them.
const FEWEST_READINGS: usize = 2;

/// Where the store is, and what of it is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    endpoint: Endpoint,
    headers: Headers,
    labels: Labels,
}

/// One target as a source of the window.
#[derive(Clone, Debug)]
pub(crate) struct StoredSource {
    pub(crate) source: ObservedSource,
    pub(crate) engine: Option<EngineKind>,
    pub(crate) model: Option<String>,
}

impl Store {
    /// From what was typed: a URL, headers as `NAME:VALUE`, labels as `NAME=VALUE`.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub(crate) fn of(url: &str, headers: &[String], labels: &[String]) -> Result<Store, StoreError> {
        let base = url.trim().trim_end_matches('/');
        let base = [
            "/api/v1/query_range",
            "/api/v1/query",
            "/api/v1/series",
            "/api/v1",
        ]
        .iter()
        .find_map(|end| base.strip_suffix(end))
        .unwrap_or(base);
        let endpoint = Endpoint::parse(base)?;
        let mut sent = Headers::new();
        for header in headers {
            // Its value may be a secret: only the name is repeated.
            let (name, value) = header.split_once(':').ok_or(StoreError::Header)?;
            sent.set(name, value)?;
        }
        let label = |text: &String| {
            let (name, value) = text
                .split_once('=')
                .filter(|(name, _)| selector::is_label(name))?;
            Some((name.to_owned(), value.to_owned()))
        };
        let labels: Option<Labels> = labels.iter().map(label).collect();
        Ok(Store {
            endpoint,
            headers: sent,
            labels: labels.ok_or(StoreError::Label)?,
        })
    }

    async fn ask(&self, scraper: &Scraper<'_>, path: &str, form: String) -> Result<String, StoreError> {
        let answer = scraper.post_form(path, form).await?;
        let url = self.endpoint.url(path);
        match answer.status {
            200 if answer.text.len() >= LONGEST_ANSWER => Err(StoreError::TooLong { url }),
            200 => Ok(answer.text),
            status => Err(self.unusable(path, status, answer::refusal(&answer.text))),
        }
    }

    fn unusable(&self, path: &str, status: u16, why: Unusable) -> StoreError {
        let url = self.endpoint.url(path);
        match why {
            Unusable::Refused(reason) => StoreError::Refused {
                url,
                status,
                reason: self.headers.without_secrets(&reason),
            },
            Unusable::Foreign(reason) => StoreError::Foreign {
                url,
                status,
                reason: self.headers.without_secrets(&reason),
            },
        }
    }

    /// How far the store's clock is ahead of ours: it says to the millisecond when it evaluated a question.
    async fn lead(&self, scraper: &Scraper<'_>) -> Result<Lead, StoreError> {
        let asked = Timestamp::now();
        let text = self.ask(scraper, QUERY, selector::clock_form()).await?;
        let answered = Timestamp::now();
        let moment = answer::moment(&text).map_err(|why| self.unusable(QUERY, 200, why))?;
        // Cut to its millisecond, by VictoriaMetrics to its second (seen with 1.79.5).
        let cut_ms = if moment % 1000 == 0 { 1000 } else { 1 };
        Ok(Lead {
            min_ms: moment.saturating_sub(answered.as_millisecond()),
            max_ms: moment
                .saturating_add(cut_ms)
                .saturating_sub(asked.as_millisecond()),
        })
    }

    async fn samples(
        &self,
        scraper: &Scraper<'_>,
        selector: &str,
        (start, end): (Timestamp, Timestamp),
    ) -> Result<Vec<answer::Stored>, StoreError> {
        let text = self
            .ask(scraper, QUERY, selector::samples_form(selector, start, end))
            .await?;
        answer::matrix(&text).map_err(|why| self.unusable(QUERY, 200, why))
    }

    fn name(&self, target: &Labels) -> String {
        let labels: Vec<String> = target
            .iter()
            .map(|(label, value)| format!("{label}=\"{value}\""))
            .collect();
        format!(
            "{} {}",
            self.endpoint.url(""),
            clean(&format!("{{{}}}", labels.join(",")), 400)
        )
    }
}

const QUERY: &str = "/api/v1/query";
const SERIES: &str = "/api/v1/series";

/// The targets that the store has samples of in a window of our clock.
///
/// # Errors
/// When the store cannot be asked, refuses, has nothing of the window, or too much.
pub(crate) async fn read(
    store: &Store,
    start: Timestamp,
    end: Timestamp,
) -> Result<Vec<StoredSource>, StoreError> {
    let scraper = Scraper::new(&store.endpoint, &store.headers)?;
    let lead = store.lead(&scraper).await?;
    let lead_ms = Lead::skew_ms([lead]).unwrap_or(0);
    let shifted = |at: Timestamp| {
        Timestamp::from_millisecond(at.as_millisecond().saturating_add(lead_ms)).unwrap_or(at)
    };
    let window = (shifted(start), shifted(end));
    let form = selector::series_form(&selector::selector(&store.labels), window.0, window.1);
    let series = store.ask(&scraper, SERIES, form).await?;
    let series = answer::series(&series).map_err(|why| store.unusable(SERIES, 200, why))?;
    let known = series.iter().filter(|metric| columns::is_known(metric));
    let targets: BTreeSet<Labels> = known.map(columns::target_of).collect();
    if targets.len() > MOST_TARGETS {
        return Err(StoreError::TooManyTargets {
            url: store.endpoint.url(""),
            targets: targets.len(),
            first: targets.first().map(|first| store.name(first)).unwrap_or_default(),
        });
    }
    let mut sources = Vec::new();
    let mut readings = 0;
    for labels in &targets {
        let mut narrowed = labels.clone();
        narrowed.extend(store.labels.clone());
        let mut stored = store
            .samples(&scraper, &selector::selector(&narrowed), window)
            .await?;
        // Without the labels that narrow: these two series have none of the engine's own.
        stored.extend(
            store
                .samples(&scraper, &selector::process(labels), window)
                .await?,
        );
        let Target {
            mut history,
            failed_at,
            engine,
            model,
        } = columns::target(stored, lead_ms);
        readings = readings.max(history.len());
        if history.len() < FEWEST_READINGS {
            continue;
        }
        history.leads.push(lead);
        sources.push(StoredSource {
            source: ObservedSource {
                role: None,
                kind: SourceKind::Prometheus,
                url: store.name(labels),
                history,
                failures: failed_at
                    .into_iter()
                    .map(|at| (at, "the store could not scrape it".to_owned()))
                    .collect(),
            },
            engine,
            model,
        });
    }
    if sources.is_empty() {
        return Err(StoreError::Empty {
            url: store.endpoint.url(""),
            start,
            end,
            targets: targets.len(),
            readings,
        });
    }
    Ok(sources)
}
