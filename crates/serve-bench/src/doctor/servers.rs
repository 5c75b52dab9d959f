//! Servers on loopback: every port that listens is asked who it is.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use contracts::serve_bench::doctor::{Check, CheckStatus};
use contracts::serve_bench::probe::ProbeData;
use engine_client::{ClientError, Endpoint, Headers};

use super::ports::{self, WELL_KNOWN};
use super::{DoctorPlan, check};

/// What a port turned out to be.
enum Answer {
    Server(Box<ProbeData>),
    /// An inference server perhaps, that wants a credential.
    Unauthorized(String),
    Other,
}

/// Asks all ports at once.
pub(super) fn find(plan: &DoctorPlan) -> (Check, Vec<ProbeData>) {
    let asked = match &plan.ports {
        Some(ports) => on_loopback(ports),
        None => listening(),
    };
    // The control plane needs one thread; many ports wait side by side.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let detail = format!("the I/O runtime does not start: {error}");
            let hint = Some("raise the open-file limit: `ulimit -n 65536`");
            return (check("servers", CheckStatus::Fail, detail, hint), Vec::new());
        }
    };
    let answers = runtime.block_on(ask_all(&asked, plan));
    let mut servers = Vec::new();
    let mut locked = Vec::new();
    for answer in answers {
        match answer {
            Answer::Server(probe) => servers.push(*probe),
            Answer::Unauthorized(url) => locked.push(url),
            Answer::Other => {}
        }
    }
    (judge(asked.len(), &servers, &locked), servers)
}

async fn ask_all(asked: &[(u16, IpAddr)], plan: &DoctorPlan) -> Vec<Answer> {
    let mut tasks = tokio::task::JoinSet::new();
    for (order, (port, address)) in asked.iter().enumerate() {
        let url = format!("http://{}", SocketAddr::new(*address, *port));
        let patience = plan.probe_timeout;
        tasks.spawn(async move {
            let answer = tokio::time::timeout(patience, ask(&url)).await;
            (order, answer.unwrap_or(Answer::Other))
        });
    }
    let mut answers = tasks.join_all().await;
    answers.sort_by_key(|(order, _)| *order);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

async fn ask(url: &str) -> Answer {
    let Ok(endpoint) = Endpoint::parse(url) else {
        return Answer::Other;
    };
    match engine_client::probe(&endpoint, &Headers::new()).await {
        Ok(probe) => Answer::Server(Box::new(probe)),
        Err(ClientError::Unauthorized { .. }) => Answer::Unauthorized(url.to_owned()),
        Err(_) => Answer::Other,
    }
}

fn listening() -> Vec<(u16, IpAddr)> {
    let tcp = std::fs::read_to_string("/proc/net/tcp");
    let tcp6 = std::fs::read_to_string("/proc/net/tcp6");
    if tcp.is_err() && tcp6.is_err() {
        return on_loopback(&WELL_KNOWN);
    }
    ports::listening(&tcp.unwrap_or_default(), &tcp6.unwrap_or_default())
}

fn on_loopback(ports: &[u16]) -> Vec<(u16, IpAddr)> {
    ports
        .iter()
        .map(|port| (*port, IpAddr::V4(Ipv4Addr::LOCALHOST)))
        .collect()
}

fn judge(asked: usize, servers: &[ProbeData], locked: &[String]) -> Check {
    let names: Vec<String> = servers
        .iter()
        .map(|server| format!("{} ({})", server.url, server.engine.kind.name()))
        .collect();
    let locked_text = if locked.is_empty() {
        String::new()
    } else {
        format!("; {} want a credential", locked.join(", "))
    };
    let detail = match names.as_slice() {
        [] => format!("none among {asked} listening ports{locked_text}"),
        names => format!("{}{locked_text}", names.join(", ")),
    };
    let hint = match (servers, locked) {
        ([], []) => Some("start a server, or name one elsewhere: `serve-bench run --url URL`".to_owned()),
        ([], [url, ..]) => Some(format!("`serve-bench probe --url {url} --api-key-env NAME`")),
        ([server, ..], _) => Some(format!("`serve-bench run --url {}`", server.url)),
    };
    let status = if servers.is_empty() {
        CheckStatus::Warn
    } else {
        CheckStatus::Ok
    };
    check("servers", status, detail, hint.as_deref())
}
