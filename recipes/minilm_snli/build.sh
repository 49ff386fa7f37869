#!/usr/bin/env bash
# Trains the bundled heads minilm-snli and measures them on pairs that took no part. Takes about two
# minutes on two cores; stopped at any point, the same command continues.
#
#   recipes/minilm_snli/build.sh DATA WORK
#
# DATA holds snli/ with train.tsv.gz and dev.tsv.gz; the heads end up in WORK/minilm_snli. Needs
# headwise[minilm].
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) data=$(cd "$1" && pwd) work=$2
mkdir -p "$work"
cd "$work"
# A tenth of the premises chooses epochs and threshold, so that snli/dev can judge
python "$here/split_premises.py" "$data/snli/train.tsv.gz" train.tsv held-out.tsv
pairs=(--data train.tsv --dev held-out.tsv --feature-folder features)
[ -f nli/config.json ] ||
  headwise train nli --backbone all-MiniLM-L6-v2 "${pairs[@]}" --output nli
[ -f heads/config.json ] ||
  headwise train abstention --heads nli "${pairs[@]}" --coverage 0.8 --output heads
mkdir -p minilm_snli
cp heads/{config.json,model.safetensors,curves.png,run.yaml,abstention.yaml} minilm_snli
cat heads/README.md "$here/terms.md" >minilm_snli/README.md
headwise evaluate-nli "$data/snli/dev.tsv.gz" --model all-MiniLM-L6-v2 --heads minilm_snli \
  --title "minilm-snli on snli/dev" --report evaluation --json evaluation.json
