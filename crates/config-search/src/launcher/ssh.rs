//! A server on another host: `ssh` in the foreground, the server's port forwarded to loopback.
//!
//! The other host is Linux with a POSIX login shell, and is reached without a question (keys, `known_hosts`). sshd makes what it
//! runs the leader of a session, and every step here is an `exec`, so the id that is written at the start is that of the server
//! and of its group. When `ssh` here ends, the server there need not: it is ended by that id, which is first held against the
//! variable that only this trial has. Variables of the plan are sent by `SendEnv`; where sshd does not accept them the launch
//! ends instead of running without.

use contracts::config_search::plan::Framework;
use contracts::config_search::validation::Problem;

use super::Cleanup;
use crate::plan::check::problem;
use crate::plan::command::quoted;

/// Line by which the log says that the host was reached.
pub(super) const REACHED: &str = "sota-loop: process ";
/// Exit codes of the script: the id could not be written; a variable did not arrive.
pub(super) const NO_ID_FILE: u8 = 121;
pub(super) const NO_VARIABLE: u8 = 122;

/// `$1` the name, `$2` the number of variables, then their names, then the command.
const START: &str = r#"dir=$HOME/.cache/sota-loop; umask 077
mkdir -p "$dir" && echo $$ >"$dir/$1.pid" || exit 121
echo "sota-loop: process $$ of $1" >&2
SOTA_LOOP_TRIAL=$1; export SOTA_LOOP_TRIAL; shift; left=$1; shift
while [ "$left" -gt 0 ]; do
  eval "[ \"\${$1+set}\" ]" || { echo "sota-loop: the variable $1 did not arrive" >&2; exit 122; }
  shift; left=$((left - 1))
done
exec "$@""#;

/// `$1` the name. Ends the group whose id was written, then what has the variable and left the group.
const END: &str = r#"file=$HOME/.cache/sota-loop/$1.pid
ours() { tr '\0' '\n' <"/proc/$1/environ" 2>/dev/null | grep -qx "SOTA_LOOP_TRIAL=$name"; }
name=$1; pid=$(cat "$file" 2>/dev/null)
case $pid in ''|*[!0-9]*|0|1) exit 0 ;; esac
alive() { kill -s 0 -- "-$pid" 2>/dev/null; }
if [ ! -e "/proc/$pid" ] || ours "$pid"; then
  kill -s TERM -- "-$pid" 2>/dev/null
  tries=0
  while alive && [ "$tries" -lt 100 ]; do sleep 0.2; tries=$((tries + 1)); done
  if alive; then kill -s KILL -- "-$pid" 2>/dev/null; sleep 1; fi
  if alive; then echo "process $pid does not end" >&2; exit 123; fi
fi
left=0
for entry in /proc/[0-9]*; do
  ours "${entry#/proc/}" && kill -s KILL "${entry#/proc/}" 2>/dev/null && left=$((left + 1))
done
rm -f "$file"
if [ "$left" -gt 0 ]; then echo "it left $left processes outside of its group" >&2; exit 124; fi
exit 0"#;

/// `ssh` with the command for the other side. `forward` is the port here that leads to `port` there.
pub(super) fn run(
    framework: &Framework,
    name: &str,
    command: &[String],
    forward: Option<u16>,
    port: u16,
) -> Vec<String> {
    let mut options = vec![];
    if let Some(here) = forward {
        options.extend(["-o".to_owned(), "ExitOnForwardFailure=yes".to_owned()]);
        options.extend(["-L".to_owned(), format!("127.0.0.1:{here}:127.0.0.1:{port}")]);
    }
    for variable in framework.env.keys() {
        options.extend(["-o".to_owned(), format!("SendEnv={variable}")]);
    }
    let mut arguments = vec![name.to_owned(), framework.env.len().to_string()];
    arguments.extend(framework.env.keys().cloned());
    arguments.extend(command.iter().cloned());
    ssh(framework, options, START, &arguments)
}

pub(super) fn cleanup(framework: &Framework, name: &str) -> Cleanup {
    Cleanup {
        argv: ssh(framework, vec![], END, &[name.to_owned()]),
        gone: &[],
        until: None,
    }
}

fn ssh(framework: &Framework, options: Vec<String>, script: &str, arguments: &[String]) -> Vec<String> {
    let mut argv = vec!["ssh".to_owned()];
    // A dead connection ends instead of hanging; a connection that somebody shares would outlive us with our forward.
    for option in [
        "BatchMode=yes",
        "ConnectTimeout=20",
        "ServerAliveInterval=15",
        "ControlPath=none",
    ] {
        argv.extend(["-o".to_owned(), option.to_owned()]);
    }
    argv.extend(options);
    argv.extend(framework.launcher_args.iter().cloned());
    argv.push("--".to_owned());
    argv.extend(framework.host.clone());
    // The login shell there gets one line.
    let words: Vec<String> = arguments.iter().map(|word| quoted(word)).collect();
    argv.push(format!(
        "exec sh -c {} sota-loop {}",
        quoted(script),
        words.join(" ")
    ));
    argv
}

pub(super) fn check(framework: &Framework) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |message: &str, hint: &str| {
        problems.push(problem(
            "plan-launcher",
            Some(&framework.name),
            message.to_owned(),
            hint,
        ));
    };
    let is_host = |host: &String| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-@:%[]".contains(c);
        !host.is_empty() && !host.starts_with('-') && host.chars().all(allowed)
    };
    if !framework.host.as_ref().is_some_and(is_host) {
        say(
            "the launcher `ssh` has no host",
            "name it under `host`: HOST, USER@HOST, or a name of ~/.ssh/config",
        );
    }
    let is_name = |name: &String| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if !framework.env.keys().all(is_name) {
        say(
            "a variable has a name that no shell takes",
            "letters, digits and `_`",
        );
    }
    problems
}
