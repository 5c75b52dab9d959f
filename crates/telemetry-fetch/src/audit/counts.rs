//! What the engine counted, against what its client did.

use contracts::telemetry_fetch::audit::AuditCheck;

use super::{Said, check, undecided};
use crate::benchmark::ClientRun;
use crate::fold::derived::Rows;

/// Tokens may differ by this: the last ones of a cancelled request are nobody's.
const TOKENS_PCT: f64 = 2.0;
/// The client may be slower than the server by this share of its own TTFT: what lies between is a gateway.
const GATEWAY_PCT: f64 = 20.0;
/// And by this much whatever the share: a network has its milliseconds.
const GATEWAY_MS: f64 = 20.0;
/// The server cannot be slower than its client, apart from rounding and warm-up requests.
const IMPOSSIBLE_PCT: f64 = 5.0;
/// Requests of ours that no benchmark counts: what asks for the length of a prompt, for example.
const PROBES: f64 = 2.0;

/// What the client sent to the server in the runs, measured or not.
struct Sent {
    requests: f64,
    uncounted: f64,
    tokens: f64,
}

fn sent(runs: &[ClientRun]) -> Sent {
    let sum = |of: fn(&ClientRun) -> u64| runs.iter().map(of).sum::<u64>() as f64;
    let succeeded = sum(|run| run.succeeded);
    Sent {
        requests: succeeded,
        uncounted: sum(|run| run.warmup) + sum(|run| run.failed),
        tokens: sum(|run| run.output_tokens),
    }
}

/// Why there is no total of a metric.
fn untold<'a>(rows: Rows<'a>, id: &'a str, none: &'static str) -> &'static str {
    if rows.is_of_several_roles(id) {
        "several roles count it, and a request goes through them all"
    } else {
        none
    }
}

pub(super) fn tokens(rows: Rows<'_>, runs: &[ClientRun]) -> AuditCheck {
    const ID: &str = "token_conservation";
    let Some(observed) = rows.total("generation_tokens") else {
        return undecided(
            ID,
            "tokens",
            untold(rows, "generation_tokens", "the engine counts no generated tokens"),
        );
    };
    if runs.is_empty() {
        return undecided(
            ID,
            "tokens",
            "no run of the benchmark lies wholly inside the window",
        );
    }
    let Sent {
        requests,
        uncounted,
        tokens,
    } = sent(runs);
    // Warm-up requests are like the measured ones, and their tokens are in no document; failed ones may have got any number.
    let extra = if requests > 0.0 {
        uncounted * tokens / requests
    } else {
        0.0
    };
    let slack = TOKENS_PCT / 100.0 * (tokens + extra)
        + if requests > 0.0 {
            PROBES * tokens / requests
        } else {
            0.0
        };
    let passed = observed >= tokens - slack && observed <= tokens + extra + slack;
    check(
        ID,
        "tokens",
        Said {
            expected: Some(tokens),
            observed: Some(observed),
            passed: Some(passed),
            limit_pct: None,
            message: format!(
                "the engine generated {observed:.0} tokens, the client received {tokens:.0} in measured requests and up to \
                 {extra:.0} in {uncounted:.0} warm-up or failed ones; {slack:.0} more or fewer pass"
            ),
        },
    )
}

pub(super) fn foreign(rows: Rows<'_>, runs: &[ClientRun]) -> AuditCheck {
    const ID: &str = "foreign_traffic";
    let counted = rows
        .total("requests")
        .or_else(|| rows.observed("e2e_latency_ms").map(|(count, _)| count));
    let Some(observed) = counted else {
        return undecided(
            ID,
            "requests",
            untold(rows, "requests", "the engine counts no requests"),
        );
    };
    if runs.is_empty() {
        return undecided(
            ID,
            "requests",
            "no run of the benchmark lies wholly inside the window",
        );
    }
    let of = sent(runs);
    let ours = of.requests + of.uncounted;
    let slack = f64::max(PROBES, ours * 0.01);
    let (least, most) = (of.requests - slack, ours + slack);
    check(
        ID,
        "requests",
        Said {
            expected: Some(ours),
            observed: Some(observed),
            passed: Some((least..=most).contains(&observed)),
            limit_pct: None,
            message: format!(
                "{observed:.0} requests ended, the benchmark sent {ours:.0}; up to {most:.0} are its own and its probes, and fewer \
                 than succeeded ended elsewhere, or before a restart"
            ),
        },
    )
}

pub(super) fn ttft(rows: Rows<'_>, runs: &[ClientRun]) -> AuditCheck {
    const ID: &str = "ttft_client_server";
    let timed = runs
        .iter()
        .filter_map(|run| Some((run.ttft_count as f64, run.ttft_mean_ms?)));
    let (count, sum) = timed.fold((0.0, 0.0), |(count, sum), (n, mean)| (count + n, sum + n * mean));
    let Some(server) = rows.mean("ttft_ms") else {
        return undecided(
            ID,
            "ms",
            untold(rows, "ttft_ms", "the engine observed no time to first token"),
        );
    };
    if count <= 0.0 {
        return undecided(
            ID,
            "ms",
            "no run with a time to first token lies wholly inside the window",
        );
    }
    let client = sum / count;
    let between = client - server;
    let most = f64::max(client * GATEWAY_PCT / 100.0, GATEWAY_MS);
    let passed = between <= most && between >= -client * IMPOSSIBLE_PCT / 100.0;
    check(
        ID,
        "ms",
        Said {
            expected: Some(client),
            observed: Some(server),
            passed: Some(passed),
            limit_pct: None,
            message: format!(
                "mean TTFT is {client:.1} ms at the client and {server:.1} ms at the server: {between:.1} ms lie between them \
                 (network, gateway, queues in front of the engine), and up to {most:.1} pass; warm-up requests are in the \
                 server's mean only"
            ),
        },
    )
}
