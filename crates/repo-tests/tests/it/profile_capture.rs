//! `profile-tables capture` on simulated engines: the traces hold what their truth files say, to the nanosecond, and
//! every refusal is a documented one.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use contracts::engine_sim::{ProfileStage, ProfileTruth, StepStage};
use serde_json::Value;
use torch_trace::{GpuKind, StepKind, Trace, Want, family_of, launches, read_file, step_of_events, steps};

use crate::documents::check;
use crate::process::{Ended, Running, Sim, binary, run};
use crate::repository::root;

pub(crate) fn capture(sim: &Sim, stage: &str, more: &[&str]) -> Ended {
    let mut arguments = vec!["capture", "--url", &sim.url, "--stage", stage];
    arguments.extend(more);
    run("profile-tables", arguments)
}

/// A request to a server, by hand.
fn ask(sim: &Sim, method: &str, path: &str) -> String {
    let mut socket = TcpStream::connect(sim.url.trim_start_matches("http://")).unwrap();
    write!(
        socket,
        "{method} {path} HTTP/1.1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

/// Traces that a document names; the document is valid.
pub(crate) fn traces(ended: &Ended) -> Vec<PathBuf> {
    assert_eq!(ended.code(), 0, "{ended:?}");
    let document = ended.document();
    check("capture", &document);
    assert_eq!(
        (&document["simulated"], &document["complete"]),
        (&Value::Bool(true), &Value::Bool(true))
    );
    assert_eq!(document["warnings"], serde_json::json!([]));
    let traces = document["data"]["traces"].as_array().unwrap();
    traces
        .iter()
        .map(|trace| PathBuf::from(trace["path"].as_str().unwrap()))
        .collect()
}

pub(crate) fn truth_of(trace: &Path) -> ProfileTruth {
    let name = trace.file_name().unwrap().to_str().unwrap();
    let stem = name.trim_end_matches(".trace.json.gz").trim_end_matches(".pt");
    let value: Value =
        serde_json::from_slice(&std::fs::read(trace.with_file_name(format!("{stem}.truth.json"))).unwrap())
            .unwrap();
    check("truth", &value);
    serde_json::from_value(value).unwrap()
}

/// What a reader finds in the steps of one kind.
#[derive(Debug, Default, PartialEq)]
struct Found {
    steps: u64,
    device_ns: u64,
    host_gap_ns: u64,
    launch_gap_ns: u64,
    graph_launches: u64,
    graph_kernels: u64,
    single_launches: u64,
    families: BTreeMap<String, (u64, u64)>,
}

fn found_in(trace: &Trace) -> BTreeMap<&'static str, Found> {
    let steps = steps(trace);
    let launches = launches(trace);
    let step_of = step_of_events(trace, &steps, &launches);
    let mut found: BTreeMap<&'static str, Found> = BTreeMap::new();
    for step in steps.iter().filter(|step| !step.on_gpu) {
        found.entry(step.text.kind.as_str()).or_default().steps += 1;
    }
    let mut order: Vec<usize> = (0..trace.gpu.len()).collect();
    order.sort_by_key(|event| trace.gpu[*event].start_ns);
    let mut previous: Option<(i64, usize)> = None;
    let mut graphs = Vec::new();
    for event in order {
        let work = &trace.gpu[event];
        let step = step_of[event].expect("every kernel has a step");
        let call = launches[event].expect("every kernel has a launch");
        let of = found.get_mut(steps[step].text.kind.as_str()).unwrap();
        let family = match work.kind {
            GpuKind::Memcpy => "memcpy",
            GpuKind::Memset => "memset",
            GpuKind::Kernel => family_of(&trace.names.text(work.name)).as_str(),
        };
        let ns = u64::try_from(work.dur_ns).unwrap();
        let entry = of.families.entry(family.to_owned()).or_default();
        *entry = (entry.0 + 1, entry.1 + ns);
        of.device_ns += ns;
        if let Some((end_ns, before)) = previous {
            let gap_ns = u64::try_from(work.start_ns - end_ns).expect("nothing overlaps");
            if before == step {
                of.launch_gap_ns += gap_ns;
            } else {
                of.host_gap_ns += gap_ns;
            }
        }
        if trace.names.text(trace.calls[call].name) == "cudaGraphLaunch" {
            of.graph_kernels += 1;
            if !graphs.contains(&call) {
                graphs.push(call);
                of.graph_launches += 1;
            }
        } else {
            of.single_launches += 1;
            assert!(
                trace.calls[call].end_ns() <= work.start_ns,
                "launched before it runs"
            );
        }
        previous = Some((work.end_ns(), step));
    }
    found
}

fn told(stage: &ProfileStage) -> Found {
    Found {
        steps: stage.steps,
        device_ns: stage.device_ns,
        host_gap_ns: stage.host_gap_ns,
        launch_gap_ns: stage.launch_gap_ns,
        graph_launches: stage.graph_launches,
        graph_kernels: stage.graph_kernels,
        single_launches: stage.single_launches,
        families: stage
            .families
            .iter()
            .map(|family| (family.family.clone(), (family.kernels, family.total_ns)))
            .collect(),
    }
}

/// The trace holds what its truth says.
fn agree(path: &Path) -> ProfileTruth {
    let trace = read_file(path, Want::ALL).unwrap();
    assert_eq!(trace.defects, []);
    let truth = truth_of(path);
    let found = found_in(&trace);
    let name = |stage: StepStage| match stage {
        StepStage::Prefill => StepKind::Prefill,
        StepStage::Decode => StepKind::Decode,
        StepStage::Mixed => StepKind::Mixed,
    };
    let said: BTreeMap<&'static str, Found> = truth
        .stages
        .iter()
        .map(|stage| (name(stage.stage).as_str(), told(stage)))
        .collect();
    assert_eq!(found, said, "left: the trace, right: its truth");
    let end = trace.gpu.iter().map(|work| work.end_ns()).max().unwrap();
    let begin = trace.gpu.iter().map(|work| work.start_ns).min().unwrap();
    assert_eq!(truth.span_ns, u64::try_from(end - begin).unwrap());
    let frames = trace.frames.iter().map(|frame| trace.names.text(frame.name));
    assert!(frames.into_iter().all(|frame| frame.starts_with("engine_sim/")));
    truth
}

#[test]
fn sglang_traces_say_what_their_truth_says() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let sim = Sim::engine(&["--flavor", "sglang", "--noise-cv", "3", "--seed", "5"]);
    let lengths = ["--input-len", "300", "--output-len", "24", "--output-dir", to];
    let decode = traces(&capture(
        &sim,
        "decode",
        &[&lengths[..], &["--steps", "10"]].concat(),
    ));
    assert_eq!(decode.len(), 1);
    let truth = agree(&decode[0]);
    assert_eq!(
        (
            truth.stages.len(),
            truth.stages[0].steps,
            truth.stages[0].graph_launches
        ),
        (1, 10, 10)
    );

    let ended = capture(&sim, "prefill", &lengths);
    let prefill = traces(&ended);
    let truth = agree(&prefill[0]);
    assert_eq!((truth.stages[0].steps, truth.stages[0].prefill_tokens), (3, 900));
    let document = ended.document();
    let data = &document["data"];
    assert_eq!(
        (
            data["probe"]["input_tokens"].as_u64(),
            data["probe"]["output_tokens"].as_u64()
        ),
        (Some(300), Some(1))
    );
    assert_eq!(data["probe"]["served_input_tokens"], 300);
    assert_eq!(
        (&data["sent"][0]["path"], &data["sent"][1]["status"]),
        (&Value::from("/start_profile"), &Value::from(200))
    );
    assert_eq!(data["load"]["source"], "/metrics");

    // The next command is the one that reads the trace.
    let command: Vec<&str> = document["next_actions"][0]["command"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(command[0], "profile-tables");
    let tables = run("profile-tables", &command[1..]).document();
    check("tables", &tables);
    assert_eq!(
        (&tables["simulated"], &tables["data"]["traces"][0]["engine"]),
        (&Value::Bool(true), &Value::from("engine-sim"))
    );
    assert_eq!(tables["data"]["stages"][0]["stage"], "prefill");
}

#[test]
fn without_graphs_every_kernel_waits_for_its_launch() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let sim = Sim::engine(&[
        "--flavor",
        "sglang",
        "--disable-cuda-graph",
        "--profile-layers",
        "3",
    ]);
    let decode = traces(&capture(
        &sim,
        "decode",
        &["--output-len", "12", "--output-dir", to],
    ));
    let truth = agree(&decode[0]);
    let stage = &truth.stages[0];
    assert_eq!(
        (truth.layers, stage.graph_launches, stage.single_launches),
        (3, 0, stage.steps * 32)
    );
    assert!(stage.launch_gap_ns > 0);
}

#[test]
fn vllm_names_its_own_folder() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let sim = Sim::engine(&["--flavor", "vllm", "--profile-dir", to]);
    let ended = capture(&sim, "decode", &["--output-len", "9"]);
    let decode = traces(&ended);
    let truth = agree(&decode[0]);
    let steps: Vec<(StepStage, u64)> = truth
        .stages
        .iter()
        .map(|stage| (stage.stage, stage.steps))
        .collect();
    assert_eq!(steps, [(StepStage::Prefill, 1), (StepStage::Decode, 8)]);
    assert_eq!(ended.document()["data"]["steps_asked"], Value::Null);
    // Another folder than the server's: nothing appears there.
    let other = folder.path().join("other");
    let lost = capture(
        &sim,
        "decode",
        &[
            "--output-len",
            "4",
            "--wait-s",
            "1",
            "--output-dir",
            other.to_str().unwrap(),
        ],
    );
    lost.fails(4, "capture-no-trace", "--output-dir");
}

#[test]
fn a_capture_takes_lengths_and_contract_of_a_benchmark() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let (workload, target) = crate::chain::freeze(folder.path(), "2", "8");
    let sim = Sim::engine(&["--flavor", "sglang"]);
    let result = folder.path().join("r.json");
    let result = result.to_str().unwrap();
    run(
        "serve-bench",
        [
            "run",
            "--url",
            &sim.url,
            "--workload",
            &workload,
            "--target",
            &target,
            "--concurrency",
            "1",
            "-o",
            result,
        ],
    );
    let ended = capture(&sim, "decode", &["--for", result, "--output-dir", to]);
    traces(&ended);
    let document = ended.document();
    let probe = &document["data"]["probe"];
    assert_eq!(
        (&probe["derived_from"]["result"], &probe["output_tokens"]),
        (&Value::from(result), &Value::from(8))
    );
    assert!(probe["derived_from"]["scenario"].is_string());
    let measured: Value = serde_json::from_slice(&std::fs::read(result).unwrap()).unwrap();
    assert_eq!(document["contract"], measured["contract"]);
    assert_eq!(document["inputs"][0]["path"], result);
}

#[test]
fn nothing_is_recorded_while_somebody_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let sim = Sim::engine(&["--flavor", "sglang"]);
    let mut other = TcpStream::connect(sim.url.trim_start_matches("http://")).unwrap();
    let body = r#"{"prompt": "a", "max_tokens": 20000, "stream": true}"#;
    write!(
        other,
        "POST /v1/completions HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    // The head of the answer: the request is in the engine.
    other.read_exact(&mut [0; 100]).unwrap();
    let own = ["--steps", "4", "--wait-s", "7"];
    let arguments = [&["--output-len", "8", "--output-dir", to], &own[..]].concat();
    let ended = capture(&sim, "decode", &arguments);
    assert_eq!(ended.code(), 5, "{ended:?}");
    let document = ended.document();
    check("refused", &document);
    let again = document["next_actions"][0]["command"].as_array().unwrap();
    for flag in own.chunks(2) {
        assert!(again.windows(2).any(|pair| pair == flag), "{flag:?}: {again:?}");
    }
    let data = &document["data"];
    assert_eq!(
        (&data["refused"], &data["load"]["running"]),
        (&Value::from("server_busy"), &Value::from(1))
    );
    assert_eq!(
        (&data["sent"], &data["traces"]),
        (&serde_json::json!([]), &serde_json::json!([]))
    );
    assert_eq!(document["next_actions"][0]["command"][1], "capture");
}

#[test]
fn servers_without_a_profiler_say_how_to_get_one() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let identity = |name: &str| Sim::script(&format!(r#"{{"identity": "{name}"}}"#));
    let lengths = ["--input-len", "8", "--output-len", "8"];
    let with_folder = [&lengths[..], &["--output-dir", to]].concat();
    capture(&identity("llama_cpp"), "decode", &lengths).fails(4, "capture-unsupported", "SGLang, vLLM");
    let vllm = identity("vllm");
    capture(&vllm, "decode", &lengths).fails(2, "capture-folder-unknown", "--output-dir");
    capture(&vllm, "decode", &with_folder).fails(4, "capture-disabled", "--profiler-config");
    capture(&identity("sglang"), "prefill", &with_folder).fails(4, "capture-disabled", "gateway");
    capture(&identity("tokenspeed"), "decode", &with_folder).fails(4, "capture-disabled", "gateway");
}

#[test]
fn wrong_use_ends_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let sim = Sim::engine(&["--flavor", "sglang", "--context-length", "64"]);
    capture(&sim, "prefill", &["--output-len", "8"]).fails(2, "capture-length-missing", "--for");
    capture(
        &sim,
        "decode",
        &["--output-len", "8", "--api-key-env", "NO_SUCH_KEY_HERE"],
    )
    .fails(2, "capture-key-missing", "NO_SUCH_KEY_HERE");
    // What cannot be served is refused before the profiler is started: the next capture starts.
    capture(&sim, "prefill", &["--input-len", "100", "--output-dir", to]).fails(
        3,
        "capture-prompt-too-long",
        "--input-len",
    );
    traces(&capture(
        &sim,
        "prefill",
        &["--input-len", "10", "--output-dir", to],
    ));
    // Somebody else's session is open.
    assert!(ask(&sim, "POST", "/start_profile").starts_with("HTTP/1.1 200"));
    capture(&sim, "prefill", &["--input-len", "10", "--output-dir", to]).fails(
        4,
        "capture-start-refused",
        "/stop_profile",
    );
    let manifest = root().join("Cargo.toml");
    let no_result = capture(&sim, "prefill", &["--for", manifest.to_str().unwrap()]);
    assert_eq!(no_result.code(), 3, "{no_result:?}");
}

#[test]
fn an_interrupted_capture_stops_the_profiler() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let sim = Sim::engine(&["--flavor", "sglang"]);
    let arguments = [
        "capture",
        "--url",
        &sim.url,
        "--stage",
        "decode",
        "--output-len",
        "20000",
        "--output-dir",
        to,
    ];
    let running = Running::start(Command::new(binary("profile-tables")).args(arguments));
    // The stop comes while the probe is answered.
    let served = (0..2000).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        ask(&sim, "GET", "/metrics")
            .lines()
            .any(|line| line.starts_with("sglang:num_running_reqs{") && line.ends_with(" 1.0"))
    });
    assert!(served, "the probe never ran");
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code(), 130, "{ended:?}");
    let document = ended.document();
    check("interrupted", &document);
    assert_eq!(
        (&document["complete"], &document["data"]["sent"][1]["path"]),
        (&Value::Bool(false), &Value::from("/stop_profile"))
    );
    assert!(
        ask(&sim, "POST", "/start_profile").starts_with("HTTP/1.1 200"),
        "nothing is open"
    );
}

#[test]
fn prompts_that_come_while_others_decode_make_mixed_steps() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let sim = Sim::engine(&["--flavor", "vllm", "--profile-dir", to]);
    assert!(ask(&sim, "POST", "/start_profile").starts_with("HTTP/1.1 200"));
    let request = |tokens: u32| {
        let mut socket = TcpStream::connect(sim.url.trim_start_matches("http://")).unwrap();
        let body = format!(r#"{{"prompt": "a b c", "max_tokens": {tokens}, "stream": true}}"#);
        write!(
            socket,
            "POST /v1/completions HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        socket
    };
    let mut first = request(200);
    // Beyond the head: the first token is there, so the next steps decode.
    first.read_exact(&mut [0; 400]).unwrap();
    let mut rest = String::new();
    request(3).read_to_string(&mut rest).unwrap();
    first.read_to_string(&mut rest).unwrap();
    assert!(ask(&sim, "POST", "/stop_profile").starts_with("HTTP/1.1 200"));
    let trace = std::fs::read_dir(to)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_str().unwrap().ends_with(".pt.trace.json.gz"))
        .unwrap();
    let truth = agree(&trace);
    let mixed = truth
        .stages
        .iter()
        .find(|stage| stage.stage == StepStage::Mixed)
        .unwrap();
    assert_eq!((mixed.steps, mixed.decode_tokens), (1, 1));
}
