//! One element of `traceEvents`, borrowed from the window: only the fields that somebody looks at.

use crate::decimal::{id, micros_to_ns};
use crate::event::Id;
use crate::lex::{Cursor, Stop, Value};

/// Fields of an event; what is absent is empty or `None`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record<'a> {
    pub(crate) ph: u8,
    pub(crate) cat: &'a [u8],
    pub(crate) name: &'a [u8],
    pub(crate) pid: &'a [u8],
    pub(crate) tid: &'a [u8],
    pub(crate) ts: Option<i64>,
    pub(crate) dur: Option<i64>,
    pub(crate) args: Args<'a>,
}

/// The members of `args` that are used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args<'a> {
    pub(crate) correlation: Id,
    pub(crate) external_id: Id,
    /// Whether a stream is named: device work has one.
    pub(crate) stream: bool,
    pub(crate) kernel: &'a [u8],
    pub(crate) dims: &'a [u8],
    pub(crate) types: &'a [u8],
    pub(crate) strides: &'a [u8],
    pub(crate) call_stack: &'a [u8],
    /// Of a wait for an event: the stream that recorded it, and the call that did.
    pub(crate) wait_on_stream: &'a [u8],
    pub(crate) event_record: Id,
    /// `args.name` and `args.labels` of metadata events.
    pub(crate) name: &'a [u8],
    pub(crate) labels: &'a [u8],
}

/// Reads one event, the opening brace being next.
///
/// # Errors
/// [`Stop`] where the slice ends or the bytes fit no JSON.
pub(crate) fn record<'a>(cursor: &mut Cursor<'a>) -> Result<Record<'a>, Stop> {
    cursor.expect(b'{')?;
    let mut record = Record::default();
    let mut first = true;
    while let Some(key) = cursor.key(&mut first)? {
        match key {
            b"ph" => record.ph = text(cursor.value()?).first().copied().unwrap_or(0),
            b"cat" => record.cat = text(cursor.value()?),
            b"name" => record.name = text(cursor.value()?),
            b"pid" => record.pid = text(cursor.value()?),
            b"tid" => record.tid = text(cursor.value()?),
            b"ts" => record.ts = time(cursor)?,
            b"dur" => record.dur = time(cursor)?,
            b"args" if cursor.peek()? == b'{' => record.args = args(cursor)?,
            _ => {
                cursor.value()?;
            }
        }
    }
    Ok(record)
}

fn args<'a>(cursor: &mut Cursor<'a>) -> Result<Args<'a>, Stop> {
    cursor.expect(b'{')?;
    let mut args = Args::default();
    let mut first = true;
    while let Some(key) = cursor.key(&mut first)? {
        let value = cursor.value()?;
        match key {
            b"correlation" => args.correlation = identity(value),
            b"External id" | b"external id" => args.external_id = identity(value),
            b"stream" => args.stream = true,
            b"kernel" => args.kernel = text(value),
            b"Input Dims" => args.dims = text(value),
            b"Input type" => args.types = text(value),
            b"Input Strides" => args.strides = text(value),
            b"Call stack" => args.call_stack = text(value),
            b"wait_on_stream" => args.wait_on_stream = text(value),
            b"wait_on_cuda_event_record_corr_id" => args.event_record = identity(value),
            b"name" => args.name = text(value),
            b"labels" => args.labels = text(value),
            _ => {}
        }
    }
    Ok(args)
}

fn time(cursor: &mut Cursor<'_>) -> Result<Option<i64>, Stop> {
    let value = cursor.value()?;
    if matches!(value, Value::String(_)) {
        cursor.leniency.string_numbers += 1;
    }
    Ok(match value {
        Value::Number(digits) | Value::String(digits) => micros_to_ns(digits),
        Value::Literal | Value::Nested(_) => None,
    })
}

fn identity(value: Value<'_>) -> Id {
    match value {
        Value::Number(digits) | Value::String(digits) => id(digits).and_then(std::num::NonZeroU64::new),
        Value::Literal | Value::Nested(_) => None,
    }
}

/// What a value says, without its quotes.
fn text<'a>(value: Value<'a>) -> &'a [u8] {
    match value {
        Value::String(text) | Value::Number(text) | Value::Nested(text) => text,
        Value::Literal => b"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_kernel_are_found_in_any_order() {
        let text = br#"{"args": {"stream": 7, "correlation": 12, "External id": "9", "grid": [1,2,3]},
            "dur": 1.5, "name": "gemm", "cat": "kernel", "ts": 10, "ph": "X", "pid": 0, "tid": "stream 7"}"#;
        let record = record(&mut Cursor::new(text, 0)).expect("JSON");
        assert_eq!(
            (record.ph, record.cat, record.name),
            (b'X', &b"kernel"[..], &b"gemm"[..])
        );
        assert_eq!((record.ts, record.dur), (Some(10_000), Some(1_500)));
        assert_eq!(record.args.correlation.map(|id| id.get()), Some(12));
        assert_eq!(record.args.external_id.map(|id| id.get()), Some(9));
        assert_eq!(record.tid, b"stream 7");
        assert!(record.args.stream);
    }

    #[test]
    fn an_infinite_duration_is_none() {
        let text = br#"{"ph": "X", "ts": "1.25", "dur": inf}"#;
        let mut cursor = Cursor::new(text, 0);
        let record = record(&mut cursor).expect("readable");
        assert_eq!((record.ts, record.dur), (Some(1250), None));
        assert_eq!(
            (cursor.leniency.string_numbers, cursor.leniency.non_finite),
            (1, 1)
        );
    }
}
