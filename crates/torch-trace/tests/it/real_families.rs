//! The kernel families of real traces: what no rule knows stays small.
//!
//! The traces lie outside the repository; `SOTA_LOOP_TEST_DATA` says where.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use torch_trace::family::{Family, family_of};
use torch_trace::kernel_name::short;

/// Traces of language models; the others (DLRM, ResNet) have kernels that no serving engine has.
const LLM: [&str; 5] = ["sglang_", "vllm_", "hf_qwen", "hf_owlv2", "tiny_triton"];

/// Largest share of GPU time that may be `other`, in percent.
const OTHER_MAX_PCT: f64 = 2.0;

#[derive(Deserialize)]
struct Trace {
    #[serde(rename = "traceEvents")]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    cat: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    dur: f64,
}

/// GPU time in microseconds by name.
fn gpu_time(path: &Path) -> io::Result<BTreeMap<String, f64>> {
    let mut bytes = Vec::new();
    MultiGzDecoder::new(File::open(path)?).read_to_end(&mut bytes)?;
    let trace: Trace = serde_json::from_slice(&bytes)?;
    let mut times = BTreeMap::new();
    for event in trace.events {
        if ["kernel", "gpu_memcpy", "gpu_memset"].contains(&event.cat.as_str()) {
            *times.entry(event.name).or_default() += event.dur;
        }
    }
    Ok(times)
}

fn traces() -> Option<Vec<PathBuf>> {
    let folder = Path::new(&std::env::var_os("SOTA_LOOP_TEST_DATA")?).join("traces");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            name.ends_with(".json.gz") && LLM.iter().any(|prefix| name.starts_with(prefix))
        })
        .collect();
    paths.sort();
    assert!(
        paths.len() >= 10,
        "{} has only {} traces",
        folder.display(),
        paths.len()
    );
    Some(paths)
}

#[test]
fn other_stays_small_on_every_trace_of_a_language_model() {
    let Some(paths) = traces() else {
        println!("kernel families of real traces: NOT RUN (SOTA_LOOP_TEST_DATA is not set)");
        return;
    };
    let mut wrong = Vec::new();
    for path in &paths {
        let times = gpu_time(path).unwrap();
        let total: f64 = times.values().sum();
        let mut shares: BTreeMap<Family, f64> = BTreeMap::new();
        let mut rows: Vec<(&String, &f64)> = times.iter().collect();
        rows.sort_by(|a, b| b.1.total_cmp(a.1));
        println!("\n{}", path.file_name().unwrap_or_default().display());
        for (rank, (name, time)) in rows.into_iter().enumerate() {
            let family = family_of(name);
            *shares.entry(family).or_default() += 100.0 * time / total;
            if rank < 40 {
                println!(
                    "  {:6.2} %  {:<16} {}",
                    100.0 * time / total,
                    family.as_str(),
                    short(name)
                );
            }
        }
        println!(
            "  {}",
            shares
                .iter()
                .map(|(family, share)| format!("{} {share:.2} %", family.as_str()))
                .collect::<Vec<_>>()
                .join(", ")
        );
        let other = shares.get(&Family::Other).copied().unwrap_or(0.0);
        if other > OTHER_MAX_PCT {
            wrong.push(format!("{}: {other:.2} %", path.display()));
        }
    }
    println!("\nkernel families of real traces: {} traces", paths.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
