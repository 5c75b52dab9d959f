//! What a transcript changes in what the pages say, and why: the one place. Everything else runs as written.

/// Text of the pages, and what runs in its place. Longer pieces come first. `@name@` is a value of the stage.
pub(super) const SUBSTITUTIONS: &[(&str, &str, &str)] = &[
    // Servers.
    (
        "http://127.0.0.1:30000",
        "@ours.url@",
        "our engine listens on a free port",
    ),
    (
        "http://127.0.0.1:30001",
        "@first.url@",
        "so does the service as it was deployed at first",
    ),
    ("http://127.0.0.1:8000", "@theirs.url@", "and theirs"),
    (
        "--port 30000",
        "--port @ours.port@",
        "its port, free until the page starts it",
    ),
    ("--port 8000", "--port @theirs.port@", "the same for theirs"),
    ("--pid 4711", "--pid @ours.pid@", "the pid of our engine"),
    ("kill 4711", "kill @ours.pid@", "the same"),
    // Launches: simulated engines in place of real ones.
    (
        r#"["python3","-m","sglang.launch_server","--model-path","Qwen/Qwen3-8B","--num-continuous-decode-steps","8","--port","{port}"]"#,
        r#"["@bin@/engine-sim","--script","@folder@/better.engine","--port","{port}"]"#,
        "our engine after the change",
    ),
    (
        r#"["python3","-m","sglang.launch_server","--model-path","Qwen/Qwen3-8B","--port","{port}"]"#,
        r#"["@bin@/engine-sim","--script","@folder@/ours.engine","--port","{port}"]"#,
        "our engine",
    ),
    (
        r#"["vllm","serve","Qwen/Qwen3-8B","--port","{port}"]"#,
        r#"["@bin@/engine-sim","--script","@folder@/theirs.engine","--port","{port}"]"#,
        "their engine",
    ),
    // Less work: what a GPU does in minutes.
    (
        "--preset chat",
        "--dataset random --num-prompts 8 --input-len 16 --output-len 8 --name chat",
        "80 prompts of 1000 tokens",
    ),
    (
        "--preset summarization",
        "--dataset random --num-prompts 8 --input-len 48 --output-len 8 --name summarization",
        "80 prompts of 8000 tokens",
    ),
    (
        "--num-prompts 80 --input-len 1000 --output-len 1000",
        "--num-prompts 8 --input-len 16 --output-len 8",
        "the same",
    ),
    (
        "-o first.json",
        "--dataset random --num-prompts 8 --input-len 16 --output-len 8 -o first.json",
        "the default takes up to a minute",
    ),
    (
        "--concurrency 32",
        "--concurrency 8",
        "no more than there are prompts",
    ),
    ("--concurrency 16", "--concurrency 8", "the same"),
    ("--concurrency 1,4,16,64", "--concurrency 1,2", "the same"),
    (
        "--max-pairs 56 --format",
        "--max-pairs 56 --campaigns 100 --format",
        "2000 simulated campaigns take 12 s without optimisation",
    ),
    (
        "--find-max-rate",
        "--find-max-rate --duration 2",
        "the search begins at one request per second",
    ),
    (
        "watch --stall-minutes 30",
        "watch --looks 1 --stall-minutes 30",
        "it watches until the campaign ends",
    ),
    // One scenario of the campaign: two ask for 144 runs, and examples/sota-loop-offline/run.sh measures two.
    (
        "--workload chat.jsonl summarization.jsonl",
        "--workload chat.jsonl",
        "one scenario",
    ),
    (" round0.summarization.compare.json", "", "one scenario"),
    (" round1.summarization.compare.json", "", "one scenario"),
    (" final.summarization.compare.json", "", "one scenario"),
    (
        "--blocks 12 --format",
        "--blocks 8 --format",
        "enough for one scenario",
    ),
    // Values that only a measurement gives.
    (
        "output_tps=612.4",
        "output_tps=@look@",
        "a rate that a stored document holds",
    ),
    (
        "document: 3f2a91c07d",
        "document: @gap@",
        "the hash of the stored decision",
    ),
    (
        "--root runs/qwen3-next",
        "--root @campaign@",
        "a campaign that has begun",
    ),
    (
        "sleep 1",
        "sleep 0.05; until grep -q '\"url\"' theirs.ready && grep -q '\"url\"' ours.ready; do sleep 0.02; done",
        "no longer than the engines need",
    ),
];

/// Commands that end with another code than 0: page, a piece of the command, the codes, and why the page promises that.
pub(super) const EXITS: &[(&str, &str, &[i32], &str)] = &[
    (
        "skills/kernel-gate/SKILL.md",
        "kernel-gate judge",
        &[5],
        "the evidence that lies there has no proofs: undecided",
    ),
    (
        "skills/serve-bench/SKILL.md",
        "--find-max-rate",
        &[5],
        "a p99 needs 459 requests, and a few are sent: undecided",
    ),
    (
        "skills/sota-campaign/references/humanize.md",
        "loop-ledger preflight --runtime humanize",
        &[0, 1],
        "1 where a client is missing, which is what it looks for",
    ),
    (
        "skills/sota-campaign/references/humanize.md",
        "humanize preflight --after-start",
        &[1],
        "no loop of Humanize runs here",
    ),
    (
        "skills/sota-campaign/references/codex-goal.md",
        "preflight --runtime codex-goal",
        &[0, 1],
        "1 where a client is missing",
    ),
    (
        "skills/sota-campaign/references/claude-goal.md",
        "preflight --runtime claude-goal",
        &[0, 1],
        "1 where a client is missing",
    ),
    (
        "skills/redeploy-loop/SKILL.md",
        "preflight --root runs/service --runtime redeploy",
        &[0, 1],
        "1 where the disk is full or a GPU is busy, which is what it looks for",
    ),
    (
        "skills/redeploy-loop/SKILL.md",
        "--free-disk-gib 10",
        &[0, 1],
        "1 where less is free, which is what it watches",
    ),
    (
        "skills/gap-decide/SKILL.md",
        "gap-decide --",
        &[0, 5],
        "5 where other work leaves a verdict open: nothing on the page needs it decided",
    ),
    (
        "skills/telemetry-fetch/SKILL.md",
        "serve-bench run",
        &[0, 5],
        "5 where other work disturbs the client; what the engine says of the window holds",
    ),
];

/// Commands that no transcript runs: page, a piece of the command, and why.
pub(super) const LEFT_OUT: &[(&str, &str, &str)] = &[
    (
        "skills/config-search/SKILL.md",
        "config-search run",
        "beside other tests short measurements are spoilt; a step of .ci/run searches with this page's plan",
    ),
    (
        "skills/config-search/SKILL.md",
        "config-search status",
        "the same",
    ),
    (
        "skills/config-search/SKILL.md",
        "config-search report",
        "the same",
    ),
    (
        "skills/config-search/SKILL.md",
        "config-search confirm",
        "the same",
    ),
    (
        "skills/sota-campaign/SKILL.md",
        "--workload summarization.jsonl",
        "one scenario, as above",
    ),
    (
        "skills/sota-campaign/SKILL.md",
        "profile-tables capture",
        "scripted engines have no profiler; examples/sota-loop-offline/run.sh captures, and crates/repo-tests/tests/it/profile_capture.rs",
    ),
    (
        "skills/sota-campaign/references/why.md",
        "profile-tables capture",
        "the same",
    ),
    (
        "skills/sota-campaign/references/why.md",
        "telemetry-fetch window",
        "scripted engines have no metrics; skills/telemetry-fetch/SKILL.md has it, and crates/repo-tests/tests/it/telemetry.rs",
    ),
    (
        "skills/telemetry-fetch/SKILL.md",
        "telemetry-fetch window --prometheus",
        "it needs a store; a step of .ci/run has Prometheus and VictoriaMetrics",
    ),
    (
        "skills/telemetry-fetch/SKILL.md",
        "telemetry-fetch window --logs",
        "it needs a log of that minute; crates/telemetry-fetch/tests/it/logs.rs has some",
    ),
    (
        "skills/telemetry-fetch/SKILL.md",
        "telemetry-fetch window --graphsignal",
        "it needs a profiler; a step of .ci/run has Graphsignal's",
    ),
    (
        "skills/kernel-gate/SKILL.md",
        "kernel-gate import",
        "it writes lines of a harness, which are no documents; crates/kernel-gate/tests/it/import.rs runs it",
    ),
    (
        "skills/capacity-plan/SKILL.md",
        "capacity-plan live",
        "scripted engines have no memory; crates/repo-tests/tests/it/capacity.rs asks one that has",
    ),
    (
        "README.md",
        "bash examples/quickstart/run.sh",
        "a release build; a step of .ci/run runs it",
    ),
    ("README.md", "cargo test --workspace", "it would run itself"),
    (
        "README.md",
        "uv tool install .",
        "it builds and installs; a step of .ci/run does that in a folder of its own",
    ),
    ("README.md", "maturin build", "the same"),
    ("README.md", "uv tool install dist/", "the same"),
    ("README.md", "bash examples/install.sh", "the same"),
];
