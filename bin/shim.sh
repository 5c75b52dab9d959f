# Finds the installed tool that a plugin shim stands for, and becomes it. Sourced by the files beside it, which are
# named like the tools; POSIX sh, no other program needed but uname.
#
# Order: the folder $SOTA_LOOP_BIN; ${CLAUDE_PLUGIN_DATA}/bin/<target triple>; PATH without the plugin's own folder.
# Nothing there: one JSON document of schema error/1 on stdout, the same for people on stderr, exit 4.

tool=${0##*/}
shim_dir=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P) || exit 70
plugin_root=${shim_dir%/*}

# A JSON string of its argument: quotes and backslashes escaped, control characters (tabs, new lines, …) dropped.
json_string() {
  printf '"%s"' "$(printf '%s' "$1" | tr -d '\000-\037' | sed 's/\\/\\\\/g; s/"/\\"/g')"
}

not_found() {
  message=$1
  hint="install all tools once, for example: uv tool install $plugin_root"
  printf 'error[companion-missing]: %s\nhint: %s\n' "$message" "$hint" >&2
  printf '{"schema":"error/1","code":"companion-missing","message":%s,"hint":%s,"retryable":false,"next_actions":[' \
    "$(json_string "$message")" "$(json_string "$hint")"
  printf '{"why":"installs every tool on PATH with uv","command":["uv","tool","install",%s]},' \
    "$(json_string "$plugin_root")"
  printf '{"why":"the same with pipx","command":["pipx","install",%s]},' "$(json_string "$plugin_root")"
  printf '{"why":"the same with a Rust toolchain alone","command":["cargo","install","--locked","--features","bins","--path",%s]}]}\n' \
    "$(json_string "$plugin_root/crates/sota-loop")"
  exit 4
}

# A wrong setting is said, not silently replaced by another binary of the same name.
if [ -n "${SOTA_LOOP_BIN:-}" ]; then
  [ -f "$SOTA_LOOP_BIN/$tool" ] && [ -x "$SOTA_LOOP_BIN/$tool" ] && exec "$SOTA_LOOP_BIN/$tool" "$@"
  not_found "SOTA_LOOP_BIN names the folder $SOTA_LOOP_BIN, and there is no executable $tool in it"
fi

if [ -n "${CLAUDE_PLUGIN_DATA:-}" ]; then
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) triple=x86_64-unknown-linux-gnu ;;
    Linux-aarch64) triple=aarch64-unknown-linux-gnu ;;
    Darwin-x86_64) triple=x86_64-apple-darwin ;;
    Darwin-arm64) triple=aarch64-apple-darwin ;;
    *) triple=unknown ;;
  esac
  kept=$CLAUDE_PLUGIN_DATA/bin/$triple/$tool
  [ -f "$kept" ] && [ -x "$kept" ] && exec "$kept" "$@"
fi

# Two installed versions of the plugin can both be on PATH; each shim adds its folder, so that they end at a binary or
# at the error and never call each other in turns.
SOTA_LOOP_SHIMS=${SOTA_LOOP_SHIMS:-}:$shim_dir:
export SOTA_LOOP_SHIMS
rest=${PATH:-}:
while [ -n "$rest" ]; do
  folder=${rest%%:*}
  rest=${rest#*:}
  [ -f "$folder/$tool" ] && [ -x "$folder/$tool" ] || continue
  real=$(CDPATH='' cd -P -- "$folder" && pwd -P) || continue
  case $SOTA_LOOP_SHIMS in *":$real:"*) continue ;; esac
  exec "$folder/$tool" "$@"
done
not_found "$tool is not installed: neither in \${CLAUDE_PLUGIN_DATA}/bin nor on PATH"
