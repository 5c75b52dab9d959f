#!/usr/bin/env bash
# The launcher `ssh` over a real sshd on loopback, with its own port, keys and configuration in a temporary folder: a search whose
# servers run on the "other host", words and variables that arrive as they are, servers that are ended there by the id written at
# their start (also when the search is interrupted, and with a worker that left its group), and what cannot be reached.
# Needs Debian's openssh-server and openssh-client, Python 3, and config-search, serve-bench and engine-sim from $SOTA_LOOP_BIN or built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "ssh.sh: FAILED: $*" >&2; exit 1; }
[ -n "${SOTA_LOOP_BIN:-}" ] || cargo build --release --locked --quiet
bin=${SOTA_LOOP_BIN:-$PWD/target/release}
export PATH="$bin:$PATH"
sshd=$(command -v sshd || ls /usr/sbin/sshd 2>/dev/null) || fail 'there is no sshd: apt-get install openssh-server'
command -v ssh >/dev/null || fail 'there is no ssh: apt-get install openssh-client'

scratch=$(mktemp -d)
daemon=
stop() {
  [ -z "$daemon" ] || { kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null; } || true
  rm -rf "$scratch"
}
trap stop EXIT
mkdir -m 700 "$scratch/home"
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$scratch/host"
ssh-keygen -q -t ed25519 -N '' -f "$scratch/me"
cp "$scratch/me.pub" "$scratch/authorized"
chmod 600 "$scratch/authorized"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$scratch/sshd_config" <<CONFIG
ListenAddress 127.0.0.1
Port $port
HostKey $scratch/host
PidFile none
AuthorizedKeysFile $scratch/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AcceptEnv HF_TOKEN
SetEnv HOME=$scratch/home
CONFIG
"$sshd" -D -e -f "$scratch/sshd_config" 2>"$scratch/sshd.log" &
daemon=$!
printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 "$scratch/host.pub")" >"$scratch/known"
cat >"$scratch/ssh_config" <<CONFIG
Host gpu1 nobody-there
  HostName 127.0.0.1
  User $(id -un)
  IdentityFile $scratch/me
  IdentitiesOnly yes
  UserKnownHostsFile $scratch/known
  GlobalKnownHostsFile none
Host gpu1
  Port $port
Host nobody-there
  Port 1
CONFIG
for try in $(seq 50); do
  ssh -F "$scratch/ssh_config" -o BatchMode=yes gpu1 true 2>"$scratch/hello.err" && break
  [ "$try" -lt 50 ] || { cat "$scratch/sshd.log" "$scratch/hello.err" >&2; fail 'sshd does not answer'; }
  sleep 0.1
done

# plan NAME HOST LINE [VARIABLE]: LINE is run by a shell there; $1 is the port.
plan() {
  python3 - "$scratch" "$@" <<'PY'
import json, sys
scratch, name, host, line, *variables = sys.argv[1:]
plan = {
    "schema": "config-search.plan/1",
    "model": {"id": "m"},
    "frameworks": [{
        "name": "far", "launcher": "ssh", "host": host, "launcher_args": ["-F", f"{scratch}/ssh_config"],
        "server_command": ["sh", "-c", line, "it's $HOME \"quoted\"", "{port}"],
        "env": {variable: "" for variable in variables},
        "ready_timeout_s": 30,
        "search_space": {"--num-continuous-decode-steps": [4, 8]},
    }],
    "scenarios": [{"name": "s", "num_prompts": 4, "args": ["--dataset", "random", "--input-len", "8", "--output-len", "4", "--concurrency", "2"]}],
    "budget": {"trials": 3},
}
json.dump(plan, open(f"{scratch}/{name}.yaml", "w"))
PY
}
# search NAME STATUS...: ends with one of these.
search() {
  local name=$1 status=0
  shift
  config-search run "$scratch/$name.yaml" --dir "$scratch/$name" --format json >"$scratch/$name.json" 2>"$scratch/$name.err" || status=$?
  [[ " $* " == *" $status "* ]] || { cat "$scratch/$name.err" "$scratch/$name"/logs/* >&2; fail "$name: exit code $status in place of $*"; }
}
codes() { python3 -c 'import json, sys; print(*[row["reason_code"] or row["status"] for row in map(json.loads, open(sys.argv[1]))])' "$scratch/$1/candidates.jsonl"; }
# Processes of any trial that still run there.
left() { grep -lzs '^SOTA_LOOP_TRIAL=' /proc/[0-9]*/environ 2>/dev/null | while read -r file; do grep -lzs "^HOME=$scratch/home" "$file" || true; done | wc -l; }

serve="port=\$1; shift; [ \"\$0\" = \"it's \\\$HOME \\\"quoted\\\"\" ] || exit 9; exec $bin/engine-sim --flavor sglang --model Qwen/Qwen3-8B --served-model-name m --port \$port \"\$@\""
export HF_TOKEN=very-secret-value OTHER_TOKEN=x
plan far gpu1 "case \$HF_TOKEN in very-*-value) ;; *) exit 8 ;; esac; $serve" HF_TOKEN
for try in 1 2 3 4 5 6; do
  rm -rf "$scratch/far"
  search far 0 6
  codes far | grep -qw ok && break
  echo "ssh.sh: try $try was disturbed" >&2
done
[[ $(codes far) =~ ^(ok|measurement-invalid)(\ (ok|measurement-invalid))+$ ]] || { tail -n 5 "$scratch"/far/logs/* >&2; cut -c1-2000 "$scratch/far/candidates.jsonl" >&2; fail "the search over ssh: $(codes far)"; }
[ "$(left)" = 0 ] || fail 'a server still runs on the other host'
[ -z "$(ls "$scratch/home/.cache/sota-loop")" ] || fail 'an id is left on the other host'
if grep -rq very-secret-value "$scratch/far" "$scratch/far.json"; then fail 'the value of a variable was written'; fi
echo "ssh.sh: servers on the other host: $(codes far)"

plan refused gpu1 "$serve" OTHER_TOKEN
search refused 6
[ "$(codes refused)" = ssh-variable ] || fail "a variable that sshd does not accept: $(codes refused)"
plan away nobody-there "$serve"
search away 6
[ "$(codes away)" = ssh-failed ] || fail "a host that does not answer: $(codes away)"
# 255 is the server's own here: the host was reached.
plan died gpu1 "exit 255"
search died 6
[ "$(codes died)" = 'engine-exited engine-exited' ] || fail "a server that ends with 255: $(codes died)"
plan worker gpu1 "setsid sleep 300 & $serve"
search worker 6
codes worker | grep -q engine-not-stopped || fail "a worker that leaves its group: $(codes worker)"
[ "$(left)" = 0 ] || fail 'the worker still runs on the other host'

# Interrupted while the server starts: it takes no signal that ends it at once.
plan cut gpu1 "trap '' HUP PIPE; echo ready-to-be-cut; while :; do sleep 0.1; done"
config-search run "$scratch/cut.yaml" --dir "$scratch/cut" --format json >"$scratch/cut.json" 2>"$scratch/cut.err" &
search=$!
for _ in $(seq 200); do
  grep -qs ready-to-be-cut "$scratch/cut/logs/far-0000.log" && break
  sleep 0.05
done
[ "$(left)" -gt 0 ] || fail 'the server to be interrupted does not run'
kill -INT "$search"
status=0
wait "$search" || status=$?
[ "$status" = 130 ] || { cat "$scratch/cut.err" >&2; fail "interrupted: exit code $status"; }
[ "$(left)" = 0 ] || fail 'an interrupted search leaves its server on the other host'
echo 'ssh.sh: ok'
