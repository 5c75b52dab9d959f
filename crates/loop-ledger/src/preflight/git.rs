//! The repository that Humanize works in. Its own set-up stops at the first of these; here all are said at once.

use contracts::loop_ledger::preflight::Check;

use super::{Context, LIMIT, failed, not_checked, passed};
use crate::probe::{self, NotRun, Ran};

pub(super) fn checks(context: &Context<'_>) -> Vec<Check> {
    let git = |arguments: &[&str]| -> Result<Ran, NotRun> {
        let mut argv = vec!["git"];
        argv.extend(arguments);
        probe::run(&argv, Some(context.project), LIMIT)
    };
    match git(&["rev-parse", "--verify", "--quiet", "HEAD"]) {
        Ok(ran) if ran.is_ok() => {}
        Ok(_) => {
            return vec![failed(
                "git-commit",
                "no repository with a commit is here".to_owned(),
                "run it in the engine's source folder (--project DIR)",
            )];
        }
        Err(why) => return vec![not_checked("git-commit", why.to_string())],
    }
    vec![
        passed("git-commit", "the repository has a commit".to_owned()),
        ignored(git(&["check-ignore", ".humanize/state", ".humanize-plan"])),
        clean(git(&["status", "--porcelain"])),
        base(&git),
        branch(git(&["rev-parse", "--abbrev-ref", "HEAD"])),
    ]
}

fn ignored(ran: Result<Ran, NotRun>) -> Check {
    let name = "humanize-ignored";
    match ran {
        // It prints what is ignored, and exits 0 for one of the two already.
        Ok(ran) if ran.stdout.lines().count() == 2 => passed(name, "git ignores .humanize*".to_owned()),
        Ok(_) => failed(
            name,
            "git does not ignore .humanize*".to_owned(),
            "add the line `.humanize*` to .gitignore or .git/info/exclude",
        ),
        Err(why) => not_checked(name, why.to_string()),
    }
}

fn clean(ran: Result<Ran, NotRun>) -> Check {
    let name = "git-clean";
    match ran {
        Ok(ran) if ran.is_ok() => {
            let changed: Vec<&str> = ran.stdout.lines().filter(|line| !line.is_empty()).collect();
            match changed.as_slice() {
                [] => passed(name, "nothing is changed".to_owned()),
                [first, ..] => failed(
                    name,
                    format!("{} changed or untracked files, first: {first}", changed.len()),
                    "commit them, or have git ignore them (the artifact root, too)",
                ),
            }
        }
        Ok(ran) => not_checked(name, ran.first_line()),
        Err(why) => not_checked(name, why.to_string()),
    }
}

/// A local base: what origin calls its head, else main, else master.
fn base(git: &dyn Fn(&[&str]) -> Result<Ran, NotRun>) -> Check {
    let name = "git-base";
    let is_local = |branch: &str| {
        let reference = format!("refs/heads/{branch}");
        git(&["show-ref", "--verify", "--quiet", &reference]).is_ok_and(|ran| ran.is_ok())
    };
    let of_origin = git(&["symbolic-ref", "--short", "refs/remotes/origin/HEAD"])
        .ok()
        .filter(Ran::is_ok)
        .and_then(|ran| ran.stdout.trim().strip_prefix("origin/").map(str::to_owned));
    let candidates: Vec<String> = of_origin
        .into_iter()
        .chain(["main".to_owned(), "master".to_owned()])
        .collect();
    match candidates.iter().find(|branch| is_local(branch)) {
        Some(branch) => passed(name, format!("{branch} is local")),
        None => failed(
            name,
            format!("none of {} is a local branch", candidates.join(", ")),
            "create one where the work begins (`git branch main`), or give Humanize --base-branch",
        ),
    }
}

/// Humanize writes the name into YAML and into a shell.
fn branch(ran: Result<Ran, NotRun>) -> Check {
    let name = "git-branch-name";
    match ran {
        Ok(ran) if ran.is_ok() => {
            let branch = ran.stdout.trim().to_owned();
            if branch.contains([':', '#', '"', '\'', '`']) {
                failed(name, branch, "work on a branch whose name has no : # \" ' `")
            } else {
                passed(name, branch)
            }
        }
        Ok(ran) => not_checked(name, ran.first_line()),
        Err(why) => not_checked(name, why.to_string()),
    }
}
