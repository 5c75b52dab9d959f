//! Spans of one OTLP trace request (`ExportTraceServiceRequest`, opentelemetry-proto 1.x), as far as engines say times in them.

use super::protobuf::{Fields, Malformed, Value};

/// What engines say of a request by attributes of its span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quantity {
    /// Name in documents; the one of the vocabulary where metrics have it too.
    pub(super) id: &'static str,
    /// Attribute.
    pub(super) attribute: &'static str,
    /// True for seconds, false for tokens.
    pub(super) is_time: bool,
}

const fn time(id: &'static str, attribute: &'static str) -> Quantity {
    Quantity {
        id,
        attribute,
        is_time: true,
    }
}

const fn tokens(id: &'static str, attribute: &'static str) -> Quantity {
    Quantity {
        id,
        attribute,
        is_time: false,
    }
}

/// Names as in vLLM's `SpanAttributes` (v1/engine/output_processor.py) and SGLang's (`convert_to_gen_ai_span_attrs`); both
/// write seconds.
pub(super) const QUANTITIES: [Quantity; 9] = [
    time("ttft_ms", "gen_ai.latency.time_to_first_token"),
    time("e2e_latency_ms", "gen_ai.latency.e2e"),
    time("queue_time_ms", "gen_ai.latency.time_in_queue"),
    time("prefill_time_ms", "gen_ai.latency.time_in_model_prefill"),
    time("decode_time_ms", "gen_ai.latency.time_in_model_decode"),
    time("inference_time_ms", "gen_ai.latency.time_in_model_inference"),
    tokens("prompt_length_tokens", "gen_ai.usage.prompt_tokens"),
    tokens("answer_length_tokens", "gen_ai.usage.completion_tokens"),
    tokens("cached_length_tokens", "gen_ai.usage.cached_tokens"),
];
/// Place of `decode_time_ms`.
pub(super) const DECODE: usize = 4;
/// Place of `answer_length_tokens`.
pub(super) const ANSWER: usize = 7;

/// A day: no request takes longer, so what says so is no time.
const LONGEST_S: f64 = 86_400.0;
/// No request has more tokens.
const MOST_TOKENS: f64 = 1e9;

/// One span, borrowed from the request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Span<'a> {
    pub(super) trace_id: &'a [u8],
    pub(super) span_id: &'a [u8],
    pub(super) name: &'a [u8],
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    /// In the order of [`QUANTITIES`]; milliseconds or tokens.
    pub(super) values: [Option<f64>; QUANTITIES.len()],
}

impl Span<'_> {
    /// Whether it tells of a whole request.
    pub(super) fn is_request(&self) -> bool {
        let times = QUANTITIES
            .iter()
            .zip(&self.values)
            .filter(|(quantity, _)| quantity.is_time);
        times.into_iter().any(|(_, value)| value.is_some())
    }
}

/// Calls `take` with each span of a request.
///
/// # Errors
/// When the bytes are no such request; spans before the damage have been given then.
pub(super) fn each<'a>(request: &'a [u8], mut take: impl FnMut(Span<'a>)) -> Result<(), Malformed> {
    each_message(request, 1, |resource_spans| {
        each_message(resource_spans, 2, |scope_spans| {
            each_message(scope_spans, 2, |bytes| {
                take(span(bytes)?);
                Ok(())
            })
        })
    })
}

/// Calls `take` with each message of one field.
fn each_message<'a>(
    message: &'a [u8],
    wanted: u64,
    mut take: impl FnMut(&'a [u8]) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut fields = Fields::of(message);
    while let Some((number, value)) = fields.next()? {
        if let (true, Value::Bytes(bytes)) = (number == wanted, value) {
            take(bytes)?;
        }
    }
    Ok(())
}

fn span(bytes: &[u8]) -> Result<Span<'_>, Malformed> {
    let mut span = Span::default();
    let mut fields = Fields::of(bytes);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(id)) => span.trace_id = id,
            (2, Value::Bytes(id)) => span.span_id = id,
            (5, Value::Bytes(name)) => span.name = name,
            (7, Value::Fixed64(ns)) => span.start_ns = ns,
            (8, Value::Fixed64(ns)) => span.end_ns = ns,
            (9, Value::Bytes(attribute)) => {
                if let Some((index, value)) = quantity(attribute)? {
                    span.values[index] = Some(value);
                }
            }
            _ => {}
        }
    }
    Ok(span)
}

/// Place and value of an attribute that is a quantity.
fn quantity(attribute: &[u8]) -> Result<Option<(usize, f64)>, Malformed> {
    let mut key: &[u8] = &[];
    let mut any: &[u8] = &[];
    let mut fields = Fields::of(attribute);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(bytes)) => key = bytes,
            (2, Value::Bytes(bytes)) => any = bytes,
            _ => {}
        }
    }
    let Some(index) = QUANTITIES
        .iter()
        .position(|quantity| quantity.attribute.as_bytes() == key)
    else {
        return Ok(None);
    };
    let mut number = None;
    let mut fields = Fields::of(any);
    while let Some(field) = fields.next()? {
        match field {
            // `int_value` is a signed number in a varint; the cast is the decoding.
            (3, Value::Varint(bits)) => number = Some(bits.cast_signed() as f64),
            (4, Value::Fixed64(bits)) => number = Some(f64::from_bits(bits)),
            _ => {}
        }
    }
    let (most, scale) = if QUANTITIES[index].is_time {
        (LONGEST_S, 1e3)
    } else {
        (MOST_TOKENS, 1.0)
    };
    let number = number.filter(|number| (0.0..=most).contains(number));
    Ok(number.map(|number| (index, number * scale)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A length-delimited field.
    pub(in crate::source::otlp) fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2];
        let mut length = bytes.len();
        while length > 127 {
            out.push((length & 127) as u8 | 128);
            length >>= 7;
        }
        out.push(length as u8);
        out.extend(bytes);
        out
    }

    fn fixed(number: u8, value: u64) -> Vec<u8> {
        let mut out = vec![number << 3 | 1];
        out.extend(value.to_le_bytes());
        out
    }

    /// A request of one span with attributes.
    pub(in crate::source::otlp) fn request(
        trace: u8,
        id: u8,
        name: &str,
        (start_ns, end_ns): (u64, u64),
        attributes: &[(&str, f64)],
    ) -> Vec<u8> {
        let mut span = [
            field(1, &[trace; 16]),
            field(2, &[id; 8]),
            field(5, name.as_bytes()),
        ]
        .concat();
        span.extend([fixed(7, start_ns), fixed(8, end_ns)].concat());
        for (key, value) in attributes {
            let any = fixed(4, value.to_bits());
            span.extend(field(9, &[field(1, key.as_bytes()), field(2, &any)].concat()));
        }
        field(1, &field(2, &field(2, &span)))
    }

    #[test]
    fn times_become_milliseconds() {
        let bytes = request(
            1,
            2,
            "llm_request",
            (5, 9),
            &[("gen_ai.latency.e2e", 0.91), ("other", 1.0)],
        );
        let mut seen = 0;
        each(&bytes, |span| {
            seen += 1;
            assert_eq!(
                (span.name, span.start_ns, span.end_ns),
                (&b"llm_request"[..], 5, 9)
            );
            assert!((span.values[1].unwrap() - 910.0).abs() < 1e-9);
            assert_eq!(span.values.iter().flatten().count(), 1);
            assert!(span.is_request());
        })
        .unwrap();
        assert_eq!(seen, 1);
    }

    #[test]
    fn what_is_no_time_is_none() {
        for value in [f64::NAN, f64::INFINITY, -0.5, 1e9] {
            let bytes = request(1, 2, "llm_request", (5, 9), &[("gen_ai.latency.e2e", value)]);
            each(&bytes, |span| assert!(!span.is_request(), "{value}")).unwrap();
        }
    }
}
