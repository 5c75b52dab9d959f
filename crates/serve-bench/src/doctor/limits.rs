//! What the system lets this process do: open files, and reach the network.

use contracts::serve_bench::doctor::{Check, CheckStatus};
use rustix::process::{Resource, getrlimit};

use super::check;
use crate::level::OTHER_FILES;

/// The open-file limit against the asked concurrency. A run raises its soft limit up to the hard one by itself.
pub(super) fn open_files(concurrency: u32) -> Check {
    let limit = getrlimit(Resource::Nofile);
    judge_files(concurrency, limit.current, limit.maximum)
}

fn judge_files(concurrency: u32, soft: Option<u64>, hard: Option<u64>) -> Check {
    let needed = u64::from(concurrency) + OTHER_FILES;
    let shown = |limit: Option<u64>| limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
    let detail = format!(
        "limit {} (hard {}), needed {needed} for concurrency {concurrency}",
        shown(soft),
        shown(hard)
    );
    let hint = format!(
        "raise the hard limit (`ulimit -Hn {needed}` as root, or LimitNOFILE), or stay at --concurrency {}",
        hard.unwrap_or(u64::MAX).saturating_sub(OTHER_FILES)
    );
    let enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= needed);
    let (status, hint) = if enough(soft) {
        (CheckStatus::Ok, None)
    } else if enough(hard) {
        (CheckStatus::Ok, Some("a run raises its own limit; nothing to do"))
    } else {
        (CheckStatus::Fail, Some(hint.as_str()))
    };
    check("file-descriptors", status, detail, hint)
}

/// Whether the agent's sandbox takes the network away.
pub(super) fn sandbox(variable: Option<&str>) -> Check {
    if variable == Some("1") {
        return check(
            "network-sandbox",
            CheckStatus::Fail,
            "CODEX_SANDBOX_NETWORK_DISABLED=1: connections are refused, loopback included",
            Some("start codex with -c sandbox_workspace_write.network_access=true"),
        );
    }
    check(
        "network-sandbox",
        CheckStatus::Ok,
        "no sandbox variable is set",
        None,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hard_limit_decides() {
        let status = |soft, hard| judge_files(256, soft, hard).status;
        assert_eq!(status(Some(1024), Some(1024)), CheckStatus::Ok);
        assert_eq!(status(None, None), CheckStatus::Ok);
        assert_eq!(status(Some(256), Some(4096)), CheckStatus::Ok);
        let low = judge_files(256, Some(256), Some(300));
        assert_eq!(low.status, CheckStatus::Fail);
        assert!(low.hint.unwrap().contains("--concurrency 236"));
        assert!(low.detail.contains("needed 320"));
    }

    #[test]
    fn a_sandbox_is_named_with_the_way_out() {
        assert_eq!(sandbox(Some("1")).status, CheckStatus::Fail);
        assert!(sandbox(Some("1")).hint.unwrap().contains("network_access=true"));
        assert_eq!(sandbox(None).status, CheckStatus::Ok);
        assert_eq!(sandbox(Some("0")).status, CheckStatus::Ok);
    }
}
