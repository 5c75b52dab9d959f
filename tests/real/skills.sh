#!/usr/bin/env bash
# The public validators that work offline agree with every skill: `agentskills validate` (PyPI skills-ref) and
# `skillsaw lint`. Both must be on PATH (.ci/run installs them).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "skills.sh: FAILED: $*" >&2; exit 1; }
for program in agentskills skillsaw; do
  command -v "$program" >/dev/null || fail "$program is not on PATH; the step 'tools' of .ci/run installs it"
done

# What the loop cannot do without; a skill that vanished must not pass for a clean run.
for name in serve-bench gap-decide sota-campaign; do
  [ -f "skills/$name/SKILL.md" ] || fail "skills/$name/SKILL.md is missing"
done

# A validator that accepts anything proves nothing: a folder whose name is not the skill's must be refused.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -R skills/serve-bench "$scratch/other-name"
! agentskills validate "$scratch/other-name" >/dev/null 2>&1 || fail 'agentskills accepts a skill in a folder of another name'

for folder in skills/*/; do
  agentskills validate "${folder%/}" || fail "agentskills validate ${folder%/}"
done
# Warnings count as errors in the skills; in the rest of the plugin (manifests, README) errors do.
skillsaw lint --strict --no-progress --no-color skills || fail 'skillsaw lint --strict skills'
skillsaw lint --no-progress --no-color . || fail 'skillsaw lint .'
echo "skills.sh: ok: $(ls -d skills/*/ | wc -l) skills"
