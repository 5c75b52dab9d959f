#!/bin/sh
# The Stop hook of the plugin: `loop-ledger hook stop` through the shim that finds the installed tool. A plugin whose tools
# are not installed must not hold a session up, so every failure is silence.
plugin_root=$(CDPATH='' cd -P -- "$(dirname -- "$0")/.." && pwd -P) || exit 0
answer=$(sh "$plugin_root/bin/loop-ledger" hook stop 2>/dev/null) || exit 0
[ -z "$answer" ] || printf '%s\n' "$answer"
