//! The command that leads on.

use contracts::NextAction;
use contracts::pipeline_analysis::report::{Cluster, ReportData};

use crate::plan::Plan;
use crate::summary::{MUCH_IDLE_PCT, between_pct, found, idle_pct};

/// What to run next.
pub(crate) fn next_actions(plan: &Plan, data: &ReportData) -> Vec<NextAction> {
    let Some(analysed) = data.traces.iter().find(|info| info.analysed) else {
        return Vec::new();
    };
    let tables = |why: &str| {
        let mut command = vec!["profile-tables".to_owned(), analysed.path.clone()];
        command.extend(["--format", "markdown"].map(str::to_owned));
        action(why, command)
    };
    let Some((_, pass)) = found(data) else {
        return vec![if plan.shows_flow {
            // The tables lead to the flow: to lead back would go round in a circle.
            kernels(&analysed.path)
        } else {
            tables("without layers the tables say which kernels take the time, and why the device waits")
        }];
    };
    // The tables lead here: to lead back would go round in a circle.
    if plan.shows_flow {
        return Vec::new();
    }
    let waits = [idle_pct(pass), between_pct(data)];
    if waits.into_iter().flatten().any(|pct| pct >= MUCH_IDLE_PCT) {
        return vec![tables(
            "the device mostly waits: the tables name the cause and the line of Python",
        )];
    }
    let share = |cluster: &&Cluster| cluster.share_pct.map_or(0.0, |share| share.get());
    let largest = data.clusters.iter().max_by(|a, b| share(a).total_cmp(&share(b)));
    let mut command = vec!["pipeline-analysis".to_owned(), analysed.path.clone()];
    if let Some(config) = &plan.config {
        command.extend(["--config".to_owned(), config.display().to_string()]);
    }
    if let Some(anchor) = &plan.anchor {
        command.extend(["--anchor".to_owned(), anchor.as_str().to_owned()]);
    }
    if let Some(cluster) = largest {
        command.extend([
            "--pass".to_owned(),
            pass.index.to_string(),
            "--layer".to_owned(),
            cluster.representative.to_string(),
        ]);
    }
    command.extend(["--format", "markdown"].map(str::to_owned));
    let mut actions = vec![action(
        "the kernels of the layer that stands for most of the time, in launch order",
        command,
    )];
    // A graph's capture has names and no times.
    if !data.detection.captured {
        actions.push(tables(
            "the tables name the fusions and overlaps that these kernels would allow",
        ));
    }
    actions
}

/// What an anchor is chosen from.
fn kernels(trace: &str) -> NextAction {
    let command = [
        "profile-tables",
        "rows",
        trace,
        "--kernel",
        ".",
        "--format",
        "markdown",
    ];
    action(
        "all kernels with their calls: the one that starts every layer is what --anchor asks for",
        command.map(str::to_owned).into(),
    )
}

fn action(why: &str, command: Vec<String>) -> NextAction {
    NextAction {
        why: why.to_owned(),
        command,
    }
}
