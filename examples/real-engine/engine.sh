# shellcheck shell=bash disable=SC2154 # venv and scratch are the caller's
#
# Starting and stopping the real engine; sourced by run.sh and by tests/real/llama_timings.sh, which set:
#   venv     the folder that setup.sh filled
#   scratch  a folder for logs
# Every server that start_engine started is stopped by its pid when the script ends, however it ends.

engine_pids=()

free_port() {
  "$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start_engine NAME FLAG... : sets $engine_url and $engine_pid once the server answers.
start_engine() {
  local name=$1 port waited=0
  shift
  port=$(free_port)
  # From the model's own folder, so that no path of this machine reaches the server's answers.
  # --cache-ram 0: the host-memory prompt cache copies a slot before each new prompt, which costs 3 to 4 ms that
  # the server's own prompt_ms does not count (seen with build 7e4c0a9).
  (cd "$venv" && exec bin/llama-server-vulkan -m model.gguf --alias gemma-3-270m --host 127.0.0.1 --port "$port" \
    -c 4096 --metrics --cache-ram 0 "$@") >"$scratch/$name.log" 2>&1 &
  engine_pid=$!
  engine_pids+=("$engine_pid")
  engine_url=http://127.0.0.1:$port
  until curl --silent --fail --noproxy '*' --max-time 2 "$engine_url/health" >/dev/null; do
    waited=$((waited + 1))
    if ! kill -0 "$engine_pid" 2>/dev/null || [ "$waited" -gt 600 ]; then
      tail -n 20 "$scratch/$name.log" >&2
      echo "error[engine-not-ready]: the server $name ($*) did not become healthy" >&2
      exit 4
    fi
    sleep 0.1
  done
}

# stop_engine PID : ends one server and waits until it is gone.
stop_engine() {
  kill "$1" 2>/dev/null || return 0
  wait "$1" 2>/dev/null || true
}

stop_engines() {
  local pid
  for pid in "${engine_pids[@]}"; do stop_engine "$pid"; done
  engine_pids=()
}
