//! What a trace says of itself beside its events: clock base, GPUs, ranks, versions.

use serde_json::Value;

/// The head of a trace; absent fields are `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Nanoseconds since the Unix epoch to which all times are relative; 0 when the file names none.
    pub base_ns: i64,
    /// Names of the GPUs, as far as the file knows them.
    pub gpus: Vec<String>,
    /// Rank in the process group.
    pub rank: Option<u32>,
    /// Ranks of the process group.
    pub world_size: Option<u32>,
    /// Whether shapes were recorded.
    pub record_shapes: bool,
    /// Whether Python stacks were recorded.
    pub with_stack: bool,
    /// Shared by the ranks of one profiling session.
    pub trace_id: Option<String>,
    /// Labels of the processes, such as `TP0` or `pyper:trainer:0:0`.
    pub process_names: Vec<String>,
    /// Whether the trace says that no GPU did its work.
    pub simulated: bool,
}

/// Labels kept.
const MAX_LABELS: usize = 64;

impl Header {
    /// Takes a member of the top-level object, given as JSON text.
    pub(crate) fn take(&mut self, key: &[u8], raw: &[u8]) {
        if !matches!(
            key,
            b"baseTimeNanoseconds"
                | b"deviceProperties"
                | b"distributedInfo"
                | b"record_shapes"
                | b"with_stack"
                | b"trace_id"
                | b"simulated"
        ) {
            return;
        }
        let Ok(value) = serde_json::from_slice::<Value>(raw) else {
            return;
        };
        match key {
            b"baseTimeNanoseconds" => self.base_ns = value.as_i64().unwrap_or(0),
            b"deviceProperties" => {
                self.gpus = value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|device| text(device.get("name")?))
                    .collect();
            }
            b"distributedInfo" => {
                self.rank = number(value.get("rank"));
                self.world_size = number(value.get("world_size"));
            }
            b"record_shapes" => self.record_shapes = value.as_i64() == Some(1),
            b"with_stack" => self.with_stack = value.as_i64() == Some(1),
            b"simulated" => self.simulated |= value.as_bool() == Some(true),
            _ => self.trace_id = text(&value),
        }
    }

    pub(crate) fn label(&mut self, label: &str) {
        if self.process_names.len() < MAX_LABELS && !self.process_names.iter().any(|known| known == label) {
            self.process_names.push(label.to_owned());
        }
    }
}

fn number(value: Option<&Value>) -> Option<u32> {
    value?.as_u64()?.try_into().ok()
}

fn text(value: &Value) -> Option<String> {
    let clean: String = value
        .as_str()?
        .chars()
        .filter(|character| !character.is_control())
        .take(200)
        .collect();
    (!clean.is_empty()).then_some(clean)
}
