//! Completed work over the measured window, and the token rates of single requests.

use contracts::serve_bench::record::{RequestRecord, TokenSource};
use contracts::serve_bench::run::{Throughput, Tokens};
use contracts::{Distribution, Finite};

use super::latency::successful;
use super::slo::SloRules;
use super::weighted::distribution;
use super::windows::Span;

pub(super) fn tokens(measured: &[&RequestRecord]) -> Tokens {
    let sum = |field: fn(&RequestRecord) -> Option<u64>| {
        successful(measured)
            .filter_map(field)
            .reduce(|total, tokens| total.saturating_add(tokens))
    };
    let mut sources: Vec<TokenSource> = successful(measured).map(|record| record.token_source).collect();
    sources.sort_unstable();
    sources.dedup();
    let source = match sources.as_slice() {
        [] => "none",
        [TokenSource::PerChunkUsage] => "per_chunk_usage",
        [TokenSource::Usage] => "usage",
        [TokenSource::Tokenizer] => "tokenizer",
        [TokenSource::Chunks] => "chunks",
        [TokenSource::None] => "none",
        _ => "mixed",
    };
    Tokens {
        input: sum(|record| record.input_tokens),
        output: sum(|record| record.output_tokens).unwrap_or(0),
        cached: sum(|record| record.cached_tokens),
        reasoning: sum(|record| record.reasoning_tokens),
        source: source.to_owned(),
    }
}

pub(super) fn throughput(measured: &[&RequestRecord], span: Option<Span>, rules: &SloRules) -> Throughput {
    let per_second = |amount: f64| span.and_then(|span| Finite::ratio(amount, span.seconds()));
    let tokens = tokens(measured);
    let succeeded = successful(measured).count() as f64;
    let judged: Option<Vec<bool>> = successful(measured).map(|record| rules.is_good(record)).collect();
    let good = judged
        .filter(|_| rules.has_goodput())
        .map(|judged| judged.into_iter().filter(|is_good| *is_good).count());
    Throughput {
        request_rps: per_second(succeeded),
        output_tps: per_second(tokens.output as f64),
        total_tps: tokens
            .input
            .and_then(|input| per_second((input + tokens.output) as f64)),
        goodput_rps: good.and_then(|good| per_second(good as f64)),
    }
}

/// input_tokens / TTFT of each request.
pub(super) fn prefill_tps(measured: &[&RequestRecord]) -> Distribution {
    distribution(successful(measured).filter_map(|record| {
        let rate = record.input_tokens? as f64 / (record.ttft_ms?.get() / 1000.0);
        rate.is_finite().then_some(rate)
    }))
}

/// (output_tokens - 1) / (last - first token chunk) of each request: the inverse of TPOT.
pub(super) fn decode_tps(measured: &[&RequestRecord]) -> Distribution {
    distribution(successful(measured).filter_map(|record| {
        let rate = 1000.0 / record.tpot_ms?.get();
        rate.is_finite().then_some(rate)
    }))
}

#[cfg(test)]
mod tests {
    use super::super::requests::tests::ok_record;
    use super::*;

    #[test]
    fn window_runs_from_first_send_to_last_token() {
        let record = ok_record();
        let span = super::super::windows::span(&[&record]);
        let throughput = throughput(&[&record], span, &SloRules::default());
        // Two tokens in 60 ms.
        assert!((throughput.output_tps.unwrap().get() - 2.0 / 0.06).abs() < 1e-3);
        assert_eq!(throughput.goodput_rps, None);
    }

    #[test]
    fn unknown_tokens_stay_unknown() {
        let mut record = ok_record();
        record.input_tokens = None;
        assert_eq!(tokens(&[&record]).input, None);
        assert_eq!(throughput(&[&record], None, &SloRules::default()).total_tps, None);
    }
}
