//! Sources beside our own readings: a store of metrics, and Graphsignal.

use contracts::telemetry_fetch::context::ForeignContext;
use contracts::telemetry_fetch::source::SourceKind;
use contracts::text::clean;
use jiff::SignedDuration;

use crate::cli::BesideArgs;
use crate::engine;
use crate::error::TelemetryError;
use crate::history::History;
use crate::observed::{Observed, ObservedSource};
use crate::source::graphsignal::api::Api;
use crate::source::graphsignal::foreign::bounded;
use crate::source::graphsignal::local::Local;
use crate::source::graphsignal::profile;
use crate::source::graphsignal::signals::{self, Answered};
use crate::source::prometheus::{self, Store};

/// Which of them are asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside {
    pub(crate) store: Option<Store>,
    pub(crate) graphsignal: Option<Graphsignal>,
}

/// Which Graphsignal.
#[derive(Clone, Debug)]
pub(crate) enum Graphsignal {
    Local(Local),
    Api(Api),
}

impl Graphsignal {
    /// `local`, `api`, or the URL of a profiler's endpoint.
    pub(crate) fn of(text: &str) -> Result<Graphsignal, TelemetryError> {
        Ok(match text.trim() {
            "local" => Graphsignal::Local(Local::of(None)?),
            "api" => Graphsignal::Api(Api::from_environment()?),
            url if url.contains("://") => Graphsignal::Local(Local::of(Some(url))?),
            other => return Err(TelemetryError::Graphsignal(clean(other, 80))),
        })
    }
}

impl Beside {
    pub(crate) fn of(args: &BesideArgs) -> Result<Beside, TelemetryError> {
        let store = args.prometheus.as_ref();
        let store = store
            .map(|url| Store::of(url, &args.header, &args.label))
            .transpose()?;
        let graphsignal = args.graphsignal.as_deref().map(Graphsignal::of).transpose()?;
        Ok(Beside { store, graphsignal })
    }

    /// Whether one of them knows what was.
    pub(crate) fn has_past(&self) -> bool {
        self.store.is_some() || matches!(self.graphsignal, Some(Graphsignal::Api(_)))
    }

    /// The endpoint that has to be read before and after.
    pub(crate) fn local(&self) -> Option<&Local> {
        match &self.graphsignal {
            Some(Graphsignal::Local(local)) => Some(local),
            _ => None,
        }
    }
}

/// Adds what those say that know the past of the window; a store is asked for this much around it, too.
pub(crate) fn gather(
    beside: &Beside,
    around: SignedDuration,
    observed: &mut Observed,
) -> Result<(), TelemetryError> {
    if !beside.has_past() {
        return Ok(());
    }
    let (start, end) = (observed.start_at, observed.end_at);
    let runtime = engine::runtime()?;
    if let Some(store) = &beside.store {
        for stored in runtime.block_on(prometheus::read(store, start - around, end + around))? {
            let facts = &mut observed.engine.facts;
            facts.kind = facts.kind.or(stored.engine);
            facts.model = facts.model.take().or(stored.model);
            observed.sources.push(stored.source);
        }
    }
    if let Some(Graphsignal::Api(api)) = &beside.graphsignal {
        observed.contexts.extend(runtime.block_on(api.read(start, end))?);
        observed.sources.push(ObservedSource {
            role: None,
            kind: SourceKind::Graphsignal,
            url: api.url(),
            history: History::default(),
            failures: Vec::new(),
        });
    }
    Ok(())
}

/// Adds what the profiler beside the engine said, in its order.
pub(crate) fn add_local(
    url: String,
    answered: &[Answered],
    failures: Vec<(jiff::Timestamp, String)>,
    observed: &mut Observed,
) {
    let mut history = History::default();
    signals::readings(answered)
        .into_iter()
        .for_each(|reading| history.push(reading));
    observed
        .profiles
        .extend(profile::rows(answered.iter().map(|answered| &answered.signals)));
    if let Some(last) = answered.last() {
        observed.notes.extend(signals::notes(&last.signals));
        for (part, value) in signals::words(&last.signals) {
            let (content, truncated) = bounded(&value);
            observed.contexts.push(ForeignContext {
                kind: SourceKind::Graphsignal,
                url: url.clone(),
                part: part.to_owned(),
                content,
                truncated,
            });
        }
    }
    let facts = &mut observed.engine.facts;
    facts.kind = facts.kind.or_else(|| {
        answered
            .iter()
            .find_map(|answered| signals::engine(&answered.signals))
    });
    observed.sources.push(ObservedSource {
        role: None,
        kind: SourceKind::Graphsignal,
        url,
        history,
        failures,
    });
}
