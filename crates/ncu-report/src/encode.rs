//! Writes a [`Report`] as the bytes of a `.ncu-rep` file. For tests and examples only: what a reader needs is there, what
//! Nsight Compute itself needs (sources, times, ids of calls) is not.

use std::collections::BTreeSet;

use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::model::{Instance, Kernel, Metric, Report, Rule, RuleKind, Session, Value};
use crate::rep::MAGIC;

/// The bytes of `report`. [`crate::read`] gives back its kernels; of its session what a file stores: `set` and
/// `cache_control` are those of its command line, and `form`, units and warnings are not stored.
#[must_use]
pub fn encode(report: &Report) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    let version = report.session.file_version.unwrap_or(7);
    sized(&mut file, &Message::default().number(1, version.into()).bytes);
    let session = &report.session;
    block(
        &mut file,
        Block {
            session: Some(start_of_session(session)),
            session_process: Some(session),
            ..Block::default()
        },
    );
    block(
        &mut file,
        Block {
            source: true,
            ..Block::default()
        },
    );
    let names: BTreeSet<&str> = report
        .kernels
        .iter()
        .flat_map(|kernel| kernel.metrics.keys().map(String::as_str))
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    for (index, one) in report.kernels.iter().enumerate() {
        block(
            &mut file,
            Block {
                names: if index == 0 { &names } else { &[] },
                kernel: Some(kernel(one, &names)),
                ..Block::default()
            },
        );
    }
    // As in real files: the rest of the session comes in headers behind the first kernel.
    for session in rest_of_session(session) {
        block(
            &mut file,
            Block {
                session: Some(session),
                ..Block::default()
            },
        );
    }
    file
}

/// The bytes of `report` as a `.ncu-repz` file.
#[must_use]
pub fn encode_compressed(report: &Report) -> Vec<u8> {
    compress_to_vec(encode(report).as_slice(), CompressionLevel::Fastest)
}

/// A message as it grows.
#[derive(Default)]
struct Message {
    bytes: Vec<u8>,
}

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn number(mut self, field: u64, number: u64) -> Self {
        self.varint(field << 3);
        self.varint(number);
        self
    }

    fn some_number(self, field: u64, number: Option<u64>) -> Self {
        match number {
            Some(number) => self.number(field, number),
            None => self,
        }
    }

    fn real(mut self, field: u64, number: f64) -> Self {
        self.varint(field << 3 | 1);
        self.bytes.extend(number.to_le_bytes());
        self
    }

    fn text(mut self, field: u64, text: &str) -> Self {
        self.varint(field << 3 | 2);
        self.varint(text.len() as u64);
        self.bytes.extend(text.as_bytes());
        self
    }

    fn some_text(self, field: u64, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(field, text),
            None => self,
        }
    }

    fn message(mut self, field: u64, message: Message) -> Self {
        self.varint(field << 3 | 2);
        self.varint(message.bytes.len() as u64);
        self.bytes.extend(message.bytes);
        self
    }

    fn messages(self, field: u64, messages: impl IntoIterator<Item = Message>) -> Self {
        messages
            .into_iter()
            .fold(self, |all, message| all.message(field, message))
    }
}

/// What goes into one block.
#[derive(Default)]
struct Block<'a> {
    session: Option<Message>,
    session_process: Option<&'a Session>,
    source: bool,
    names: &'a [&'a str],
    kernel: Option<Message>,
}

fn block(file: &mut Vec<u8>, block: Block<'_>) {
    let mut payload = Vec::new();
    if block.source {
        sized(&mut payload, &Message::default().number(1, 1).bytes);
    }
    if let Some(kernel) = &block.kernel {
        sized(&mut payload, &kernel.bytes);
    }
    let mut header = Message::default()
        .number(1, block.source.into())
        .number(2, block.kernel.is_some().into())
        .messages(3, block.session);
    if !block.names.is_empty() {
        let names = block.names.iter();
        header = header.message(
            4,
            names.fold(Message::default(), |table, name| table.text(1, name)),
        );
    }
    header = header.number(5, payload.len() as u64);
    if let Some(session) = block.session_process {
        let process = Message::default()
            .number(1, 1)
            .some_text(2, session.private.host.as_deref())
            .some_text(3, session.private.program.as_deref());
        header = header.message(6, process);
    }
    sized(file, &header.bytes);
    file.extend(payload);
}

/// Bytes behind their length.
fn sized(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("a message of a test is below 4 GiB");
    out.extend(length.to_le_bytes());
    out.extend(bytes);
}

fn start_of_session(session: &Session) -> Message {
    let private = &session.private;
    let mut start = Message::default().some_number(2, session.created_unix_s);
    if let Some(host) = &private.host {
        start = start.message(3, Message::default().text(5, host));
    }
    let executable = Message::default()
        .some_text(1, private.program.as_deref())
        .some_text(2, private.working_directory.as_deref())
        .some_text(4, private.environment.as_deref());
    start.message(9, executable)
}

fn rest_of_session(session: &Session) -> Vec<Message> {
    let mut parts = vec![Message::default().message(6, device(session))];
    for (provider, version) in [
        ("CUDA Version", &session.cuda_version),
        ("Display Driver Version", &session.driver_version),
        ("Nsight Compute Target", &session.ncu_version),
    ] {
        let version = version
            .as_deref()
            .map(|version| Message::default().text(1, provider).text(2, version));
        parts.extend(version.map(|version| Message::default().message(8, version)));
    }
    if let Some(clock) = &session.clock_control {
        let settings = Message::default().text(8, clock);
        parts.push(Message::default().message(10, settings));
    }
    if let Some(line) = &session.command_line {
        parts.push(Message::default().text(11, line));
    }
    parts
}

/// The GPU with its attributes; those that the session's own fields stand for are added.
fn device(session: &Session) -> Message {
    let mut attributes = session.attributes.clone();
    let mut add = |name: &str, number: Option<u64>| {
        if let Some(number) = number {
            let name = format!("device__attribute_{name}");
            attributes.entry(name).or_insert(Value::Integer(number));
        }
    };
    let cc = session.cc.as_deref().and_then(|cc| cc.split_once('.'));
    add(
        "compute_capability_major",
        cc.and_then(|(major, _)| major.parse().ok()),
    );
    add(
        "compute_capability_minor",
        cc.and_then(|(_, minor)| minor.parse().ok()),
    );
    add("multiprocessor_count", session.sm_count);
    let attributes = attributes
        .iter()
        .map(|(name, content)| Message::default().text(1, name).message(2, value(content)));
    Message::default()
        .number(1, 0)
        .some_text(2, session.gpu.as_deref())
        .messages(3, attributes)
}

fn kernel(kernel: &Kernel, names: &[&str]) -> Message {
    let metrics = kernel.metrics.iter().map(|(name, content)| {
        let id = names.binary_search(&name.as_str());
        metric(id.expect("every name is in the table"), content)
    });
    let sections = kernel
        .sections
        .iter()
        .map(|section| Message::default().text(1, section));
    Message::default()
        .text(6, &kernel.function)
        .text(7, &kernel.demangled)
        .message(10, extent(kernel.grid))
        .message(11, extent(kernel.block))
        .messages(13, metrics)
        .messages(17, sections)
        .messages(19, kernel.rules.iter().map(rule))
        .some_number(22, kernel.context)
        .some_number(23, kernel.stream)
}

fn extent([x, y, z]: [u64; 3]) -> Message {
    Message::default().number(1, x).number(2, y).number(3, z)
}

fn metric(id: usize, metric: &Metric) -> Message {
    Message::default()
        .number(1, id as u64)
        .messages(2, metric.value.as_ref().map(value))
        .messages(3, metric.instances.iter().map(instance))
}

fn instance(instance: &Instance) -> Message {
    Message::default()
        .messages(1, instance.id.as_ref().map(value))
        .messages(2, instance.value.as_ref().map(value))
}

fn value(value: &Value) -> Message {
    match value {
        Value::Text(text) => Message::default().text(1, text),
        Value::Integer(number) => Message::default().number(5, *number),
        Value::Real(number) => Message::default().real(3, *number),
    }
}

fn rule(rule: &Rule) -> Message {
    let kind = match rule.kind {
        RuleKind::Info => 1,
        RuleKind::Warning => 2,
        RuleKind::Error => 3,
        RuleKind::Optimization => 4,
    };
    let message = Message::default()
        .text(1, &rule.text)
        .number(2, kind)
        .text(4, &rule.title);
    let focus = rule.focus.iter().map(|name| Message::default().text(2, name));
    let speedup = rule.speedup.map(|speedup| {
        Message::default()
            .number(1, if speedup.is_global { 2 } else { 1 })
            .real(2, speedup.percent)
    });
    let item = Message::default()
        .message(1, message)
        .messages(8, focus)
        .messages(10, speedup);
    Message::default()
        .text(1, &rule.id)
        .message(3, Message::default().message(1, item))
        .text(4, &rule.section)
}
