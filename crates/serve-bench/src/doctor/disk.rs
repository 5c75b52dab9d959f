//! Whether records and documents will find room.

use std::path::Path;

use contracts::serve_bench::doctor::{Check, CheckStatus};

use super::check;

const FAIL_BYTES: u64 = 16 << 20;
const WARN_BYTES: u64 = 1 << 30;

/// Free bytes where the working directory lies.
pub(super) fn free(path: &Path) -> Check {
    match rustix::fs::statvfs(path) {
        Ok(stat) => judge(stat.f_bavail.saturating_mul(stat.f_frsize)),
        Err(error) => check(
            "disk",
            CheckStatus::NotChecked,
            format!("the file system does not say: {error}"),
            None,
        ),
    }
}

fn judge(free_bytes: u64) -> Check {
    let detail = format!("{} MiB free in the working directory", free_bytes >> 20);
    // A record of 1,000 tokens has about 10 kB.
    let hint = "free space, or write --records and -o elsewhere";
    if free_bytes < FAIL_BYTES {
        return check("disk", CheckStatus::Fail, detail, Some(hint));
    }
    if free_bytes < WARN_BYTES {
        return check("disk", CheckStatus::Warn, detail, Some(hint));
    }
    check("disk", CheckStatus::Ok, detail, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_judged_by_what_records_need() {
        assert_eq!(judge(0).status, CheckStatus::Fail);
        assert_eq!(judge(100 << 20).status, CheckStatus::Warn);
        assert_eq!(judge(10 << 30).status, CheckStatus::Ok);
        assert_eq!(free(Path::new("/nonexistent")).status, CheckStatus::NotChecked);
    }
}
