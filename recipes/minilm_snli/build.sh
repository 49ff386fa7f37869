#!/usr/bin/env bash
# Trains the bundled heads minilm-snli and measures them on pairs that took no part. Takes
# hours on one core; stopped at any point, the same command continues.
#
#   recipes/minilm_snli/build.sh DATA WORK
#
# DATA holds snli/ with train.tsv.gz and dev.tsv.gz; the heads end up in WORK/minilm_snli. Needs
# headwise[minilm].
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) data=$(cd "$1" && pwd) work=$2
. "$here/settings.sh"
mkdir -p "$work"
cd "$work"
# A tenth of the premises chooses epochs and threshold, so that snli/dev can judge
python "$here/split_premises.py" "$data/snli/train.tsv.gz" train.tsv held-out.tsv
[ -f taught-0/config.json ] || headwise train nli --backbone all-MiniLM-L6-v2 "${pairs[@]}" \
  "${taught[@]}" --feature-folder features-0 --output taught-0
[ -f heads/config.json ] || headwise train abstention --heads taught-0 "${pairs[@]}" \
  --second --folds 3 --learning-rate 3e-3 --coverage 0.8 --feature-folder features-0 --output heads
python "$here/store.py" heads minilm_snli --terms "$here/terms.md"
headwise evaluate-nli "$data/snli/dev.tsv.gz" --model all-MiniLM-L6-v2 --heads minilm_snli \
  --title "minilm-snli on snli/dev" --report evaluation --json evaluation.json
