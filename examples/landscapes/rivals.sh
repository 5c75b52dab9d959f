#!/usr/bin/env bash
# Optuna and SMAC3 on the landscapes, in a virtual environment of their own, one result file a searcher.
#
#   rivals.sh OUTPUT_DIR [LANDSCAPE.jsonl...]      default: every landscape beside this script
#
# SEEDS=N (30) and RIVALS="tpe smac3" choose less. A result file that is there is kept: started again it goes on with
# the next searcher. SMAC3 takes the longest by far, most of an hour of one core.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:?the folder for the results}
shift
mkdir -p "$out"
venv=$here/.venv
if [ $# -eq 0 ]; then set -- "$here"/*.jsonl; fi

[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check optuna==5.0.0 smac==2.4.1 ||
  { echo 'error[install-failed]: pip could not install optuna and smac
hint: smac needs a C++ compiler and swig where there is no wheel; on Debian: apt-get install build-essential swig' >&2; exit 4; }
# SMAC3 orders sets of strings by their hash: without a fixed one a seed does not repeat itself.
export PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 PYTHONHASHSEED=0
for rival in ${RIVALS:-tpe tpe-multivariate smac3 random one-change one-percent}; do
  [ ! -e "$out/$rival.jsonl" ] || continue
  nice -n 19 "$venv/bin/python" "$here/rivals.py" --rivals "$rival" --seeds "${SEEDS:-30}" "$@" >"$out/$rival.part"
  mv "$out/$rival.part" "$out/$rival.jsonl"
  echo "$rival: $(wc -l <"$out/$rival.jsonl") results"
done
