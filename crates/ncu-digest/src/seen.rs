//! What rules look at, and what they say of it: a condition with the numbers that show it.

use contracts::Finite;
use contracts::ncu_digest::Counter;
use contracts::ncu_digest::kernel::{Kernel, Scope};
use contracts::ncu_digest::report::Evidence;

use crate::declared::Declared;
use crate::fields::{self, Candidates};
use crate::stalls;
use crate::thresholds as at;

/// What rules look at.
pub(crate) struct Seen<'a> {
    pub(crate) kernel: &'a Kernel,
    pub(crate) raw: &'a ncu_report::Kernel,
    pub(crate) declared: &'a Declared,
}

/// A condition that holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Symptom {
    pub(crate) text: Vec<String>,
    pub(crate) evidence: Vec<Evidence>,
    /// What to change, where the rule has to say it in another way.
    pub(crate) edit: Option<&'static str>,
}

impl Symptom {
    pub(crate) fn new(text: impl Into<String>) -> Symptom {
        Symptom {
            text: vec![text.into()],
            evidence: Vec::new(),
            edit: None,
        }
    }

    pub(crate) fn say(mut self, text: impl Into<String>) -> Symptom {
        self.text.push(text.into());
        self
    }

    pub(crate) fn show(mut self, name: &str, counter: &Counter) -> Symptom {
        self.evidence.push(evidence(name, counter));
        self
    }

    pub(crate) fn show_some(self, name: &str, counter: Option<&Counter>) -> Symptom {
        match counter {
            Some(counter) => self.show(name, counter),
            None => self,
        }
    }
}

fn evidence(name: &str, counter: &Counter) -> Evidence {
    Evidence {
        name: name.to_owned(),
        value: counter.value,
        metric: counter.metric.clone(),
    }
}

pub(crate) fn get(counter: &Counter) -> f64 {
    counter.value.get()
}

impl Seen<'_> {
    pub(crate) fn pick(&self, field: Candidates) -> Option<Counter> {
        fields::pick(self.raw, field)
    }

    /// The stall rules are for a scheduler that finds no warp; else warps only move to `not_selected`.
    pub(crate) fn gate_is_open(&self) -> bool {
        let scheduler = &self.kernel.scheduler;
        let starved = scheduler.no_eligible_pct.as_ref();
        let issues = scheduler.issue_active.as_ref();
        starved.is_some_and(|pct| get(pct) >= at::GATE_NO_ELIGIBLE_PCT)
            || issues.is_some_and(|issued| get(issued) < at::GATE_ISSUE_ACTIVE)
    }

    /// The largest estimate of a rule of Nsight Compute for the whole kernel. Local ones are of one unit and rank nothing.
    pub(crate) fn estimate(&self, rule: &str) -> Option<Evidence> {
        let speedups = self.kernel.rules.iter().filter(|seen| seen.id == rule);
        let speedups = speedups.filter_map(|seen| seen.speedup);
        let global = speedups.filter(|speedup| speedup.scope == Scope::Global);
        let largest = global.map(|speedup| speedup.pct.get()).max_by(f64::total_cmp)?;
        Some(Evidence {
            name: format!("{rule}: estimated global speed-up, %"),
            value: Finite::new(largest)?,
            metric: format!("rule {rule}"),
        })
    }

    pub(crate) fn gate_evidence(&self, symptom: Symptom) -> Symptom {
        symptom.show_some(
            "cycles without an eligible warp, %",
            self.kernel.scheduler.no_eligible_pct.as_ref(),
        )
    }

    pub(crate) fn stall(&self, reason: &str, threshold: f64) -> Option<Symptom> {
        let share = stalls::share(self.raw, reason)?.share_pct;
        let symptom = Symptom::new(format!("{:.1} % of a warp's cycles are {reason}", get(&share)));
        (get(&share) >= threshold)
            .then(|| self.gate_evidence(symptom.show(&format!("stall {reason}, %"), &share)))
    }
}
