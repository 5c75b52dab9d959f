//! What happens in the campaign of the tests: begun, behind, and ended after four attempts.

use contracts::FieldSet;
use contracts::fields::sha256_hex;
use contracts::gap_decide::decision::Decision;
use contracts::loop_ledger::event::{Blocker, ChangeKind, Event, Idea, Init, Outcome, Stop};
use contracts::loop_ledger::lock::{self, LockedScenario, TargetLock};
use contracts::loop_ledger::{Phase, Terminal, history, root_cause};
use contracts::serve_bench::workload::Purpose;
use contracts::target::Target;

use super::campaign::{Campaign, at};
use super::documents;
use crate::ledger::{Root, lock_bytes};

/// What somebody hostile would type.
pub(crate) const HOSTILE: &str = "fuse qk-norm <script>alert(1)</script> | \"x\" & 'y'";
/// How ours is launched at first.
pub(super) const OURS: &str =
    "python3 -m sglang.launch_server --model-path /home/alice/models/Qwen3-8B --host 10.1.2.3 --port 30000";

const TARGET: &str = r#"
schema: sota-loop.target/1
model: {id: Qwen/Qwen3-8B, revision: b968826, tokenizer: Qwen/Qwen3-8B, precision: bf16}
hardware: {class: H100-80GB-SXM, gpu_count: 1}
slo: ["p50_ttft_ms<=2000"]
threshold_ratio: 0.01
margin_ratio: 0.01
campaign:
  framework: sglang
  comparison: [vllm]
  excluded: [{framework: tensorrt-llm, why: no build for this model}]
  focus: [decode]
  minimum_candidates: 2
  budget: {wall_s: 36000, gpu_s: 7200, attempts: 6}
  push_remotes: [git@github.com:us/sglang.git]
"#;

impl Campaign {
    /// Only begun.
    pub(crate) fn begun() -> Campaign {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        let target: Target = serde_json::from_value(cli_kit::yaml_value(TARGET.as_bytes()).unwrap()).unwrap();
        let scenario = |name: &str| LockedScenario {
            workload: "standard.workload.jsonl".to_owned(),
            scenario: name.to_owned(),
            purpose: Purpose::Evidence,
            num_prompts: 80,
            seed: Some(1),
            input_len: None,
            output_len: None,
            shares_prefixes: false,
            request_stream_sha256: format!("sha256:{name}"),
        };
        let lock = TargetLock {
            schema: lock::SCHEMA.to_owned(),
            created_at: at(0),
            contract: FieldSet::new(target.contract_fields()),
            target,
            target_sha256: sha256_hex(TARGET.as_bytes()),
            scenarios: vec![scenario("chat"), scenario("long")],
            workloads: Vec::new(),
        };
        let mut campaign = Campaign {
            folder,
            root,
            lock,
            entries: Vec::new(),
            attempt: None,
            wall: 0,
        };
        let init = Init {
            lock_sha256: sha256_hex(&lock_bytes(&campaign.lock)),
            budget: campaign.lock.target.campaign.clone().unwrap().budget,
            supersedes: None,
        };
        let evidence = campaign.store("/home/alice/target.yaml", Some(Target::SCHEMA), TARGET.as_bytes());
        campaign.add(Event::Init(init), vec![evidence]);
        campaign
    }

    /// With its fixed benchmark: ours is behind.
    pub(crate) fn behind() -> Campaign {
        let mut campaign = Campaign::begun();
        campaign.note(
            Phase::History,
            history::SCHEMA,
            "schema: loop-ledger.history/1\nmodel: Qwen3\nbaseline_commit: 0a1b2c3\nchecked_on: 2026-11-20\nsources: [sgl-project/sglang, vllm-project/vllm]\nchanges:\n  - {reference: sgl-project/sglang#12345, state: merged, date: 2026-11-18, title: Fused QK norm, files: [python/sglang/srt/layers/rotary.py], influences: already in ours}\n  - {reference: vllm-project/vllm#23456, state: open, date: 2026-11-19, title: Faster sampler, influences: worth reading}\n",
        );
        let theirs = documents::result("chat", "vllm serve --max-num-seqs 64", 980.0);
        campaign.benchmark(&theirs, Phase::Baseline);
        campaign.verdict(
            OURS,
            [920.0, 485.0],
            Phase::Baseline,
            Decision::Profile,
            [-8.0, -3.0],
        );
        campaign.note(
            Phase::RootCause,
            root_cause::SCHEMA,
            "schema: loop-ledger.root-cause/1\nscenario: chat\ncause: The scheduler runs between all decode steps.\ntargets: [--num-continuous-decode-steps]\nclaims:\n  - {claim: decode is slower, document: '00112233', pointer: /data/blocks/0/a/latency/tpot_ms/p50, value: 8.695652}\n",
        );
        campaign
    }

    /// Over four attempts to its end.
    pub(crate) fn ended() -> Campaign {
        let mut campaign = Campaign::behind();
        for (phase, what, command) in [
            (Phase::Profile, "no GPU profiler in this container", "nsys"),
            (
                Phase::Pipeline,
                "pipeline-analysis is not installed",
                "pipeline-analysis",
            ),
        ] {
            campaign.add(
                Event::Blocker(Blocker {
                    phase,
                    what: what.to_owned(),
                    command: vec![command.to_owned(), "profile".to_owned()],
                    exit_code: Some(127),
                }),
                Vec::new(),
            );
        }
        campaign.add(
            Event::Idea(Idea {
                idea: "fewer scheduler turns".to_owned(),
                source: Some("sgl-project/sglang#12000".to_owned()),
                license: Some("Apache-2.0".to_owned()),
                rows: vec!["tpot_ms.p50=8.70".to_owned()],
            }),
            Vec::new(),
        );
        let first = format!("{OURS} --num-continuous-decode-steps 8");
        campaign.begin(
            ChangeKind::Flags,
            "--num-continuous-decode-steps 8",
            Some(4.0),
            Some(&first),
        );
        campaign.verdict(
            &first,
            [990.0, 494.0],
            Phase::Revalidate,
            Decision::Profile,
            [-1.0, -1.2],
        );
        campaign.end(Outcome::Kept, "the scheduler was in the way", Some(4.8));
        campaign.begin(ChangeKind::Patch, "skip the sampler's copy", Some(2.0), None);
        campaign.patch(
            "--- a/python/sampler.py\n+++ b/python/sampler.py\n@@ -1 +1 @@\n-a\n+b\n",
            &[],
        );
        campaign.end(Outcome::Failed, "does not build against CUDA 12.4", None);
        campaign.begin(ChangeKind::Env, "SGLANG_X=1", None, None);
        campaign.verdict(
            &first,
            [986.0, 493.0],
            Phase::Revalidate,
            Decision::Profile,
            [-1.4, -1.4],
        );
        campaign.end(Outcome::Reverted, "no effect above the noise", Some(-0.3));
        campaign.begin(ChangeKind::Patch, HOSTILE, Some(3.0), None);
        campaign.patch(
            "--- a/python/rotary.py\n+++ b/python/rotary.py\n@@ -1 +1,2 @@\n-x\n+y\n+z\n",
            &[("vllm-project/vllm#23456", "Apache-2.0")],
        );
        campaign.verdict(
            &first,
            [1030.0, 512.0],
            Phase::Revalidate,
            Decision::StopReached,
            [3.0, 2.4],
        );
        campaign.end(Outcome::Kept, "one kernel less in every layer", Some(3.9));
        campaign.add(
            Event::Stop(Stop {
                terminal: Terminal::TargetMet,
                why: "ahead in every scenario".to_owned(),
            }),
            Vec::new(),
        );
        campaign
    }
}
