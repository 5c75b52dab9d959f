#!/usr/bin/env bash
# The launcher `docker` with real containers: a search whose servers run in them, variables handed on by name, containers that are
# gone afterwards (also when the search is interrupted and the server takes no signal), and what docker itself refuses.
# Takes the docker daemon that there is; else starts Debian's (docker.io, as root) with its own socket and folders, and ends it.
# The image is made here of engine-sim and a shell: nothing is pulled. Needs Python 3, and config-search, serve-bench and engine-sim
# from $SOTA_LOOP_BIN or built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "docker.sh: FAILED: $*" >&2; exit 1; }
[ -n "${SOTA_LOOP_BIN:-}" ] || cargo build --release --locked --quiet
bin=${SOTA_LOOP_BIN:-$PWD/target/release}
export PATH="$bin:$PATH"
command -v docker >/dev/null || fail 'there is no docker: apt-get install docker.io'

scratch=$(mktemp -d)
daemon=
image=sota-loop-test:$$
stop() {
  docker image rm -f "$image" >/dev/null 2>&1 || true
  [ -z "$daemon" ] || { kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null; } || true
  # dockerd leaves the namespace of its network mounted.
  umount "$scratch"/exec/netns/* 2>/dev/null || true
  rm -rf "$scratch"
}
trap stop EXIT
if ! docker info >/dev/null 2>&1; then
  [ "$(id -u)" = 0 ] && dockerd=$(command -v dockerd || ls /usr/sbin/dockerd 2>/dev/null) \
    || fail 'no docker daemon answers, and one can be started as root only, with dockerd: apt-get install docker.io'
  "$dockerd" --host "unix://$scratch/docker.sock" --data-root "$scratch/data" --exec-root "$scratch/exec" --pidfile "$scratch/pid" \
    --storage-driver vfs >"$scratch/dockerd.log" 2>&1 &
  daemon=$!
  export DOCKER_HOST=unix://$scratch/docker.sock
  for try in $(seq 150); do
    docker info >/dev/null 2>&1 && break
    kill -0 "$daemon" 2>/dev/null && [ "$try" -lt 150 ] || { tail -n 5 "$scratch/dockerd.log" >&2; fail 'dockerd does not start'; }
    sleep 0.2
  done
fi

root=$scratch/root
mkdir -p "$root/bin" "$root/tmp"
for program in "$bin/engine-sim" "$(command -v dash)" "$(command -v sleep)"; do
  cp "$program" "$root/bin/"
  ldd "$program" | grep -o '/[^ ]*' | while read -r library; do mkdir -p "$root$(dirname "$library")" && cp -n "$library" "$root$library"; done
done
ln -s dash "$root/bin/sh"
# engine-sim listens on loopback only, and a published port leads to the container's other address: a relay between the two.
perl_base=$(perl -e 'print +(grep { -e "$_/strict.pm" && -e "$_/IO/Socket/INET.pm" } @INC)[0]') || fail 'there is no perl-base'
cp "$(command -v perl)" "$root/bin/"
ldd "$(command -v perl)" | grep -o '/[^ ]*' | while read -r library; do mkdir -p "$root$(dirname "$library")" && cp -n "$library" "$root$library"; done
mkdir -p "$root$perl_base" && cp -r "$perl_base/." "$root$perl_base/"
cat >"$root/relay" <<'PERL'
use strict; use IO::Socket::INET; use IO::Select;
my ($from, $to) = @ARGV;
$SIG{CHLD} = 'IGNORE';
my $door = IO::Socket::INET->new(LocalAddr => "0.0.0.0:$from", Listen => 64, ReuseAddr => 1) or die "relay: $!";
while (my $in = $door->accept) {
  if (fork) { close $in; next }
  my $out = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$to") or exit;
  my $both = IO::Select->new($in, $out);
  while (1) { for my $one ($both->can_read) { sysread($one, my $bytes, 65536) or exit; syswrite($one == $in ? $out : $in, $bytes) } }
}
PERL
tar -C "$root" -c . | docker import - "$image" >/dev/null

# plan NAME IMAGE LINE [FLAG...]: LINE is run by a shell in the container; $0 is the port.
plan() {
  python3 - "$scratch" "$@" <<'PY'
import json, sys
scratch, name, image, line, *flags = sys.argv[1:]
plan = {
    "schema": "config-search.plan/1",
    "model": {"id": "m"},
    "frameworks": [{
        "name": "boxed", "launcher": "docker", "image": image, "launcher_args": ["--pull=never", "--memory", "1g", *flags],
        "server_command": ["/bin/sh", "-c", line, "{port}"],
        "env": {"HF_TOKEN": ""},
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
  [[ " $* " == *" $status "* ]] || { cat "$scratch/$name.err" >&2; tail -n 5 "$scratch/$name"/logs/* >&2; fail "$name: exit code $status in place of $*"; }
}
codes() { python3 -c 'import json, sys; print(*[row["reason_code"] or row["status"] for row in map(json.loads, open(sys.argv[1]))])' "$scratch/$1/candidates.jsonl"; }
containers() { docker ps --all --quiet --filter name=^sota- | wc -l; }

export HF_TOKEN=very-secret-value
serve='case $HF_TOKEN in very-*-value) ;; *) exit 8 ;; esac; exec /bin/engine-sim --flavor sglang --model Qwen/Qwen3-8B --served-model-name m'
published="perl /relay \"\$0\" 18000 & $serve --port 18000 \"\$@\""
hosted="$serve --port \"\$0\" \"\$@\""
plan boxed "$image" "$published"
plan hosted "$image" "$hosted" --network host
for name in boxed hosted; do
  for try in 1 2 3 4 5 6; do
    rm -rf "${scratch:?}/$name"
    search "$name" 0 6
    codes "$name" | grep -qw ok && break
    echo "docker.sh: try $try was disturbed" >&2
  done
  [[ $(codes "$name") =~ ^(ok|measurement-invalid)(\ (ok|measurement-invalid))+$ ]] || { tail -n 5 "$scratch/$name"/logs/* >&2; cut -c1-2000 "$scratch/$name/candidates.jsonl" >&2; fail "the search in containers: $(codes "$name")"; }
  [ "$(containers)" = 0 ] || fail 'a container is left'
  if grep -rq very-secret-value "$scratch/$name" "$scratch/$name.json"; then fail 'the value of a variable was written'; fi
done
echo "docker.sh: servers in containers of docker $(docker version --format '{{.Server.Version}}'), published and on the host's network: $(codes boxed) $(codes hosted)"

plan flag "$image" "$published --no-such-flag"
search flag 6
[ "$(codes flag)" = 'unknown-flag unknown-flag' ] || fail "a flag that the server refuses: $(codes flag)"
plan memory "$image" 'kill -9 $$'
search memory 6
codes memory | grep -q '^out-of-memory\|^engine-exited' || fail "a server that is killed: $(codes memory)"
plan image "sota-loop-test:nowhere" "$published"
search image 6
[ "$(codes image)" = docker-failed ] || fail "an image that is not there: $(codes image)"
(export DOCKER_HOST=unix://$scratch/nowhere.sock; cp "$scratch/boxed.yaml" "$scratch/away.yaml"; search away 6)
[ "$(codes away)" = docker-failed ] || fail "a daemon that is not there: $(codes away)"
cp "$scratch/boxed.yaml" "$scratch/missing.yaml"
(PATH=$bin; status=0; "$bin/config-search" run "$scratch/missing.yaml" --dir "$scratch/missing" >/dev/null 2>&1 || status=$?; [ "$status" = 6 ]) \
  || fail 'without docker on PATH the search does not end with 6'
[ "$(codes missing)" = launcher-missing ] || fail "no docker on PATH: $(codes missing)"

# Interrupted, with a server that takes no signal.
plan cut "$image" "trap '' TERM HUP INT; echo ready-to-be-cut; while :; do sleep 1; done"
config-search run "$scratch/cut.yaml" --dir "$scratch/cut" --format json >"$scratch/cut.json" 2>"$scratch/cut.err" &
search=$!
for _ in $(seq 400); do
  grep -qs ready-to-be-cut "$scratch/cut/logs/boxed-0000.log" && break
  sleep 0.05
done
[ "$(containers)" = 1 ] || fail 'the container to be interrupted does not run'
kill -INT "$search"
status=0
wait "$search" || status=$?
[ "$status" = 130 ] || { cat "$scratch/cut.err" >&2; fail "interrupted: exit code $status"; }
[ "$(containers)" = 0 ] || fail 'an interrupted search leaves its container'
echo 'docker.sh: ok'
