#!/usr/bin/env bash
# report.sh ROOT OUT.png [WIDTH]: renders the report.html of a campaign in headless Chromium, and fails if the page asked
# anybody for anything, logged an error, or changed under the browser. Needs on PATH: chromium (Debian package `chromium`,
# or any Chrome under that name or in $CHROMIUM). REPORT_DARK=1 takes the dark page.
set -euo pipefail

fail() { echo "report.sh: FAILED: $*" >&2; exit 1; }
[ $# -ge 2 ] || fail 'usage: report.sh ROOT OUT.png [WIDTH]'
page="$(cd "$1" && pwd)/report.html"
out=$2
width=${3:-1200}
[ -f "$page" ] || fail "$page is not there; \`loop-ledger report --root ROOT\` writes it"

browser=${CHROMIUM:-}
if [ -z "$browser" ]; then
  for name in chromium chromium-browser google-chrome chrome; do
    browser=$(command -v "$name") && break
  done
fi
[ -n "$browser" ] || fail 'Chromium is not on PATH; install the package chromium, or name the program in CHROMIUM'

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
dark=()
[ -z "${REPORT_DARK:-}" ] || dark=(--force-dark-mode --blink-settings=preferredColorScheme=0)
# Without sandbox: containers have no user namespaces, and the page has nothing to run. No name resolves, and whatever is
# no name goes to a port where nothing listens: neither the page nor the browser's own services reach anybody.
chromium_with() {
  timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars \
    --no-first-run --disable-background-networking --disable-component-update --disable-sync \
    --disable-extensions --host-resolver-rules='MAP * ~NOTFOUND' --proxy-server=127.0.0.1:9 \
    --user-data-dir="$scratch/profile" "${dark[@]}" "$@"
}

# The page as Chromium understood it says how long it is.
chromium_with --window-size="$width",900 --dump-dom "file://$page" >"$scratch/dom.html" 2>"$scratch/dom.log" ||
  { tail -n 5 "$scratch/dom.log" >&2; fail 'Chromium does not read the page'; }
grep -q 'Ledger-Head: ' "$scratch/dom.html" || fail 'the page was cut off: its last line is missing'
[ "$(grep -c '<tr>' "$page")" = "$(grep -c '<tr>' "$scratch/dom.html")" ] ||
  fail 'Chromium mended the tables: the markup is wrong'

# Everything that the network stack and the console saw while the picture was taken.
chromium_with --window-size="$width","${REPORT_HEIGHT:-3200}" --screenshot="$scratch/page.png" \
  --log-net-log="$scratch/net.json" --net-log-capture-mode=Everything \
  --enable-logging=stderr --v=0 "file://$page" >/dev/null 2>"$scratch/console.log" ||
  { tail -n 5 "$scratch/console.log" >&2; fail 'Chromium takes no picture'; }
[ -s "$scratch/page.png" ] || fail 'the picture is empty'
if grep -F ':CONSOLE' "$scratch/console.log" >&2; then
  fail 'the page logged to the console'
fi
[ -s "$scratch/net.json" ] || fail 'Chromium wrote no log of the network'
# One event a line. What the browser asks for itself (its clock, its updates) has no origin; what a page asks for has.
if grep -oE '"initiator":"[^"]*".*"url":"[^"]*"' "$scratch/net.json" | grep -v '"initiator":"not an origin"' >&2; then
  fail 'the page made a network request'
fi
cp "$scratch/page.png" "$out"
echo "report.sh: ok: $out, $width px wide, no request, no message on the console"
