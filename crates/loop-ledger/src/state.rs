//! What the entries add up to. Pure: the same ledger and clock give the same state.

use std::collections::{BTreeMap, BTreeSet};

use contracts::gap_decide::decision::Decision;
use contracts::loop_ledger::entry::Entry;
use contracts::loop_ledger::event::{AttemptBegin, AttemptEnd, Blocker, Event, Idea, Outcome, Patch, Stop};
use contracts::loop_ledger::facts::{DecisionFacts, Facts};
use contracts::loop_ledger::lock::{Budget, TargetLock};
use contracts::loop_ledger::phase::Phase;
use contracts::loop_ledger::status::BudgetState;
use contracts::serve_bench::result::LoadInfo;
use contracts::subject::Subject;
use contracts::target::Campaign;
use contracts::{Exit, Finite, quality_gate};
use jiff::Timestamp;

use crate::ledger::Ledger;
use crate::precedent::{self, Precedent};

/// Pairs below which a verdict is no verdict.
pub const MIN_PAIRS: u32 = 8;
/// Threshold where the target declares none.
pub const DEFAULT_THRESHOLD: f64 = 0.01;
/// Configurations that every comparison framework gets, where the target says nothing.
pub const DEFAULT_CANDIDATES: u32 = 2;
/// Metric of the campaign, where the target says nothing.
pub const DEFAULT_METRIC: &str = "output_tps";

/// An attempt.
#[derive(Clone, Debug)]
pub struct Attempt<'a> {
    /// For example `a-0007`.
    pub id: &'a str,
    /// Its first entry.
    pub begin: &'a AttemptBegin,
    /// Number of that entry.
    pub begin_seq: u64,
    /// When it began.
    pub began_at: Timestamp,
    /// Its last entry and its number; `None` while it is open.
    pub end: Option<(&'a AttemptEnd, u64)>,
}

/// An accepted document in its place.
#[derive(Clone, Debug)]
pub struct Accepted<'a> {
    /// Number of the entry.
    pub seq: u64,
    /// The attempt it belongs to.
    pub attempt: Option<&'a str>,
    /// What it says.
    pub facts: &'a Facts,
}

impl Accepted<'_> {
    /// Whether it compares ours with a framework on a scenario.
    pub fn compares(&self, scenario: &str, framework: &str) -> bool {
        self.facts.scenario.as_deref() == Some(scenario)
            && self.facts.sides.len() == 2
            && self.facts.sides[1].framework == framework
    }
}

/// A campaign at one moment.
#[derive(Clone, Debug)]
pub struct State<'a> {
    /// The contract.
    pub lock: &'a TargetLock,
    /// Its campaign part.
    pub campaign: Campaign,
    /// The entries.
    pub entries: &'a [Entry],
    /// Now.
    pub now: Timestamp,
    /// When `init` ran.
    pub began_at: Timestamp,
    /// All attempts, in order.
    pub attempts: Vec<Attempt<'a>>,
    /// All accepted documents, in order.
    pub accepted: Vec<Accepted<'a>>,
    /// What is missing and was accepted as missing.
    pub blockers: Vec<&'a Blocker>,
    /// Ideas with the number of their entries.
    pub ideas: Vec<(u64, &'a Idea)>,
    /// Diffs with the attempt they belong to.
    pub patches: Vec<(Option<&'a str>, &'a Patch)>,
    /// How it ended.
    pub stop: Option<&'a Stop>,
    /// Whether a person asks to stop (the file STOP is there).
    pub stop_asked: bool,
    /// How the stored comparisons were measured; empty where only the entries are known.
    pub precedents: Vec<Precedent>,
    /// The latest verdict on the answers of the open attempt.
    pub attempt_quality: Option<quality_gate::verdict::Verdict>,
    /// Settings of ours that the open attempt shows otherwise than before it.
    pub changed_settings: Vec<String>,
    /// Load of each scenario that was measured.
    pub loads: BTreeMap<String, LoadInfo>,
    /// Ports at which ours was measured in the open attempt and that serve-bench did not open itself.
    pub served_at: Vec<u16>,
}

impl<'a> State<'a> {
    /// The state of a ledger now.
    pub fn now(ledger: &'a Ledger) -> State<'a> {
        let stop_asked = ledger.root.stop_file().exists();
        let mut state = State::at(&ledger.lock, ledger.entries(), stop_asked, Timestamp::now());
        state.precedents = precedent::latest(&ledger.root, &state);
        state.attempt_quality = precedent::attempt_quality(&ledger.root, &state);
        state.changed_settings = precedent::changed_settings(&ledger.root, &state);
        state.loads = precedent::loads(&ledger.root, &state);
        state.served_at = precedent::served_at(&ledger.root, &state);
        state
    }

    /// The state that entries add up to.
    pub fn at(lock: &'a TargetLock, entries: &'a [Entry], stop_asked: bool, now: Timestamp) -> State<'a> {
        // A clock that was turned back does not make the campaign younger.
        let now = entries.last().map_or(now, |last| last.written_at.max(now));
        let mut state = State {
            lock,
            campaign: lock.target.campaign.clone().unwrap_or_default(),
            entries,
            now,
            began_at: entries.first().map_or(now, |entry| entry.written_at),
            attempts: Vec::new(),
            accepted: Vec::new(),
            blockers: Vec::new(),
            ideas: Vec::new(),
            patches: Vec::new(),
            stop: None,
            stop_asked,
            precedents: Vec::new(),
            attempt_quality: None,
            changed_settings: Vec::new(),
            loads: BTreeMap::new(),
            served_at: Vec::new(),
        };
        for entry in entries {
            state.take(entry);
        }
        state
    }

    fn take(&mut self, entry: &'a Entry) {
        let attempt = entry.attempt.as_deref();
        match &entry.event {
            Event::AttemptBegin(begin) => self.attempts.push(Attempt {
                id: attempt.unwrap_or_default(),
                begin,
                begin_seq: entry.seq,
                began_at: entry.written_at,
                end: None,
            }),
            Event::AttemptEnd(end) => {
                if let Some(open) = self.attempts.last_mut() {
                    open.end = Some((end, entry.seq));
                }
            }
            Event::Evidence(facts) => self.accepted.push(Accepted {
                seq: entry.seq,
                attempt,
                facts,
            }),
            Event::Idea(idea) => self.ideas.push((entry.seq, idea)),
            Event::Patch(patch) => self.patches.push((attempt, patch)),
            Event::Blocker(blocker) => self.blockers.push(blocker),
            Event::Stop(stop) => self.stop = Some(stop),
            Event::Init(_) | Event::Preflight(_) | Event::Session(_) | Event::Recovered(_) => {}
        }
    }

    /// When an attempt ended; `None` while it is open.
    pub fn ended_at(&self, attempt: &Attempt<'_>) -> Option<Timestamp> {
        let (_, seq) = attempt.end?;
        let entry = usize::try_from(seq).ok().and_then(|seq| self.entries.get(seq))?;
        Some(entry.written_at)
    }

    /// The open attempt.
    pub fn open_attempt(&self) -> Option<&Attempt<'a>> {
        self.attempts.last().filter(|attempt| attempt.end.is_none())
    }

    /// Attempts that were judged: kept or taken back.
    pub fn judged(&self) -> impl DoubleEndedIterator<Item = &Attempt<'a>> {
        self.attempts.iter().filter(|attempt| {
            attempt
                .end
                .is_some_and(|(end, _)| matches!(end.outcome, Outcome::Kept | Outcome::Reverted))
        })
    }

    /// Rounds that have ended.
    pub fn rounds(&self) -> u32 {
        u32::try_from(self.judged().count()).unwrap_or(u32::MAX)
    }

    /// Judged rounds in a row, the last one included, that brought less than the threshold. What failed to run or was
    /// interrupted is none.
    pub fn weak_rounds(&self) -> u32 {
        let least = self.threshold_pct();
        let weak = self.judged().rev().take_while(|attempt| {
            attempt.end.is_none_or(|(end, _)| {
                end.outcome != Outcome::Kept || end.improvement_pct.is_none_or(|gain| gain.get() < least)
            })
        });
        u32::try_from(weak.count()).unwrap_or(u32::MAX)
    }

    /// Number of the entry after which evidence is of the current round.
    pub fn round_start(&self) -> u64 {
        self.judged()
            .filter_map(|attempt| attempt.end.map(|(_, seq)| seq))
            .next_back()
            .unwrap_or(0)
    }

    /// Smallest gap that counts, percent.
    pub fn threshold_pct(&self) -> f64 {
        self.lock
            .target
            .threshold_ratio
            .map_or(DEFAULT_THRESHOLD, Finite::get)
            * 100.0
    }

    /// Half-width of a tie, percent.
    pub fn margin_pct(&self) -> f64 {
        self.lock
            .target
            .margin_ratio
            .map_or(DEFAULT_THRESHOLD, Finite::get)
            * 100.0
    }

    /// The metric that decides.
    pub fn metric(&self) -> &str {
        self.campaign.metric.as_deref().unwrap_or(DEFAULT_METRIC)
    }

    /// Configurations that a framework needs.
    pub fn candidates_needed(&self) -> u32 {
        self.campaign.minimum_candidates.unwrap_or(DEFAULT_CANDIDATES)
    }

    /// Whether a document belongs to the state that ours is in: outside attempts, or in one whose change was kept.
    pub fn counts(&self, accepted: &Accepted<'_>) -> bool {
        match accepted.attempt {
            None => true,
            Some(id) => self.attempts.iter().any(|attempt| {
                attempt.id == id && attempt.end.is_some_and(|(end, _)| end.outcome == Outcome::Kept)
            }),
        }
    }

    /// Decisions on the campaign's metric, in order.
    pub fn decisions(&self) -> impl DoubleEndedIterator<Item = (&Accepted<'a>, &'a DecisionFacts)> {
        self.accepted.iter().filter_map(|accepted| {
            let decision = accepted.facts.decision.as_ref()?;
            (decision.metric == self.metric()).then_some((accepted, decision))
        })
    }

    /// The latest decision on the state that ours is in.
    pub fn current_decision(&self) -> Option<(&Accepted<'a>, &'a DecisionFacts)> {
        self.decisions().rfind(|(accepted, _)| self.counts(accepted))
    }

    /// The latest decision of an attempt.
    pub fn decision_of(&self, attempt: &Attempt<'_>) -> Option<(&Accepted<'a>, &'a DecisionFacts)> {
        self.decisions()
            .rfind(|(accepted, _)| accepted.attempt == Some(attempt.id))
    }

    /// The latest decision of the open attempt.
    pub fn attempt_decision(&self) -> Option<(&Accepted<'a>, &'a DecisionFacts)> {
        self.decision_of(self.open_attempt()?)
    }

    /// Whether the latest decision says that ours is behind or fails its SLO.
    pub fn is_behind(&self) -> bool {
        self.current_decision()
            .is_some_and(|(_, decision)| matches!(decision.decision, Decision::Profile | Decision::FixSlo))
    }

    /// Distinct configurations measured, per framework.
    pub fn candidates(&self) -> BTreeMap<String, u32> {
        let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for accepted in self.benchmarks() {
            for side in &accepted.facts.sides {
                if let Some(subject) = side.subject.as_deref().filter(|_| side.runs > 0) {
                    seen.entry(&side.framework).or_default().insert(subject);
                }
            }
        }
        seen.into_iter()
            .map(|(framework, subjects)| {
                (
                    framework.to_owned(),
                    u32::try_from(subjects.len()).unwrap_or(u32::MAX),
                )
            })
            .collect()
    }

    /// Accepted benchmarks: documents that measured runs.
    pub fn benchmarks(&self) -> impl DoubleEndedIterator<Item = &Accepted<'a>> {
        self.accepted
            .iter()
            .filter(|accepted| accepted.facts.measured_at.is_some())
    }

    /// Accepted documents of a phase.
    pub fn of_phase(&self, phase: Phase) -> impl DoubleEndedIterator<Item = &Accepted<'a>> {
        self.accepted
            .iter()
            .filter(move |accepted| accepted.facts.phase == phase)
    }

    /// Whether a blocker stands in for the evidence of a phase.
    pub fn is_downgraded(&self, phase: Phase) -> bool {
        phase.can_be_downgraded() && self.blockers.iter().any(|blocker| blocker.phase == phase)
    }

    /// An accepted document by its hash.
    pub fn by_hash(&self, sha256: &str) -> Option<&Accepted<'a>> {
        self.accepted
            .iter()
            .find(|accepted| accepted.facts.sha256 == sha256)
    }

    /// The launch that ours is in now: of the change that was kept last, else of the fixed benchmark.
    pub fn current_subject(&self) -> Option<&'a str> {
        self.benchmarks()
            .rfind(|accepted| self.counts(accepted) && accepted.facts.sides.len() == 2)
            .and_then(|accepted| accepted.facts.sides[0].subject.as_deref())
    }

    /// Attempts whose change was kept.
    pub fn kept(&self) -> impl DoubleEndedIterator<Item = &Attempt<'a>> {
        self.attempts
            .iter()
            .filter(|attempt| attempt.end.is_some_and(|(end, _)| end.outcome == Outcome::Kept))
    }

    /// The launch file of the change that was kept last, where it has one.
    pub fn best_subject(&self) -> Option<&'a Subject> {
        self.kept().rev().find_map(|attempt| {
            let subject = attempt.begin.subject.as_ref();
            subject.filter(|subject| !subject.launch_argv.is_empty())
        })
    }

    /// The launch of the change that was kept last, else of the fixed benchmark; `None` where no document says it.
    pub fn best_argv(&self) -> Option<&'a [String]> {
        let declared = self.best_subject().map(|subject| subject.launch_argv.as_slice());
        declared.or_else(|| {
            self.benchmarks()
                .rev()
                .filter(|accepted| self.counts(accepted) && accepted.facts.sides.len() == 2)
                .find_map(|accepted| accepted.facts.sides[0].launch_argv.as_deref())
        })
    }

    /// Names of what is used up of the budget. An attempt is charged when it begins: the last one may still end.
    pub fn spent(&self) -> Vec<String> {
        match self.open_attempt() {
            Some(_) => Vec::new(),
            None => self.budget().exhausted,
        }
    }

    /// What is charged and what is left.
    pub fn budget(&self) -> BudgetState {
        let limit = self.campaign.budget.clone();
        let sum = |charge: fn(&AttemptBegin) -> Option<Finite>| {
            let total: f64 = self
                .attempts
                .iter()
                .filter_map(|attempt| charge(attempt.begin))
                .map(Finite::get)
                .sum();
            Finite::new(total)
        };
        let wall = self.now.duration_since(self.began_at).as_secs_f64().max(0.0);
        let spent = Budget {
            wall_s: Finite::new(wall),
            gpu_s: sum(|begin| begin.charge.gpu_s),
            attempts: Some(u32::try_from(self.attempts.len()).unwrap_or(u32::MAX)),
            spend_usd: sum(|begin| begin.charge.spend_usd),
        };
        let over =
            |spent: Option<f64>, limit: Option<f64>| matches!((spent, limit), (Some(s), Some(l)) if s >= l);
        let number = |value: Option<Finite>| value.map(Finite::get);
        let mut exhausted = Vec::new();
        for (name, is_over) in [
            ("wall_s", over(number(spent.wall_s), number(limit.wall_s))),
            ("gpu_s", over(number(spent.gpu_s), number(limit.gpu_s))),
            (
                "attempts",
                over(spent.attempts.map(f64::from), limit.attempts.map(f64::from)),
            ),
            (
                "spend_usd",
                over(number(spent.spend_usd), number(limit.spend_usd)),
            ),
        ] {
            if is_over {
                exhausted.push(name.to_owned());
            }
        }
        BudgetState {
            limit,
            spent,
            exhausted,
        }
    }
}

/// How a gate that is not met ends: for a spent budget 6, for an undecided measurement 5, else 1.
pub fn exit_of(code: &str) -> Exit {
    match code {
        "budget-exhausted" => Exit::BudgetSpent,
        "undecided" => Exit::Undecided,
        _ => Exit::GateNotMet,
    }
}
