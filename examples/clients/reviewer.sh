#!/bin/sh
# Stands for `codex` in the Humanize check: a reviewer that answers with the file $REVIEWER/exec or $REVIEWER/review,
# and keeps the arguments of each call in $REVIEWER/calls. Without a file it answers nothing.
printf 'codex %s\n' "$*" >>"$REVIEWER/calls"
case $1 in
  --help) echo '  --disable <FEATURE>' ;;
  exec) cat >/dev/null && cat "$REVIEWER/exec" 2>/dev/null || : ;;
  review) cat "$REVIEWER/review" 2>/dev/null || : ;;
  *) echo "no answer for: codex $*" >&2 && exit 2 ;;
esac
