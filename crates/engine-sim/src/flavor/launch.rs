//! From flags to an engine: everything that is decided before the first request.

use serde_json::Value;

use super::flags::{EngineFlags, Flavor, Owner};
use super::memory::Memory;
use super::value::Values;
use super::{sglang, vllm};
use crate::SimError;
use crate::engine::{Cost, HARDWARE, Hardware, MODELS, Model, Settings};

/// Model when no flag names one: that of the published measurement which the overhead is fitted to.
const DEFAULT_MODEL: &str = "Qwen/Qwen1.5-0.5B-Chat";

/// An engine that can start.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) flavor: Flavor,
    /// Name that requests use.
    pub(crate) served_model: String,
    /// Version that the flavour reports.
    pub(crate) version: &'static str,
    pub(crate) api_key: Option<String>,
    /// Longest prompt plus answer.
    pub(crate) context: u64,
    pub(crate) settings: Settings,
    pub(crate) cost: Cost,
    pub(crate) memory: Memory,
    /// All settings in the engine's names, as `/server_info` shows them.
    pub(crate) server_args: Value,
}

/// Checks the flags and decides everything.
///
/// # Errors
/// Flags of the other engine, values that make no sense, and configurations that do not fit into memory, each in
/// the engine's words.
pub(crate) fn plan(flavor: Flavor, hardware: &str, flags: &EngineFlags) -> Result<Launch, SimError> {
    let values = Values::of(flavor);
    let own = match flavor {
        Flavor::Sglang => Owner::Sglang,
        Flavor::Vllm => Owner::Vllm,
    };
    let foreign: Vec<&str> = flags
        .given()
        .into_iter()
        .filter(|(_, owner)| *owner != own && *owner != Owner::Both)
        .map(|(flag, _)| flag)
        .collect();
    if !foreign.is_empty() {
        return Err(values.wrong(format_args!("unrecognized arguments: {}", foreign.join(" "))));
    }
    let hardware = find(
        HARDWARE,
        hardware,
        |hardware: &Hardware| hardware.name,
        "hardware",
    )?;
    let name = flags.model.as_deref().unwrap_or(DEFAULT_MODEL);
    let model = find(MODELS, name, |model: &Model| model.name, "model")?;
    match flavor {
        Flavor::Sglang => sglang::plan(values, flags, model, hardware),
        Flavor::Vllm => vllm::plan(values, flags, model, hardware),
    }
}

fn find<T: Copy>(
    table: &[T],
    name: &str,
    of: fn(&T) -> &'static str,
    what: &'static str,
) -> Result<T, SimError> {
    let found = table.iter().find(|entry| of(entry).eq_ignore_ascii_case(name));
    found.copied().ok_or_else(|| SimError::NotInTable {
        what,
        name: name.to_owned(),
        known: table.iter().map(of).collect(),
    })
}

/// Bytes of one element of the KV cache.
pub(super) fn kv_element_bytes(values: Values, flags: &EngineFlags) -> Result<u64, SimError> {
    let choices = ["auto", "bfloat16", "fp8", "fp8_e4m3", "fp8_e5m2"];
    let dtype = values.choice("--kv-cache-dtype", flags.kv_cache_dtype.as_ref(), &choices)?;
    Ok(match dtype {
        Some(name) if name.starts_with("fp8") => 1,
        _ => 2,
    })
}
