#!/usr/bin/env bash
# Trains the error head beside the Sigmoid Head of train_head.py, calibrates both, and writes them in
# bfloat16. Takes about an hour on two cores; stopped at any point, the same command continues.
#
#   recipes/gemma_3_270m/build.sh DATA WORK
#
# DATA is that of the README; the heads end up in WORK/exported.
set -euo pipefail
data=$1 work=$2
cd "$(dirname "$0")"
[ -f "$work/texts/dev.tsv" ] ||
  python write_pairs.py --data "$data" --output "$work/texts" --each 600 --short 300 --dev 150
[ -f "$work/errors/calibration.json" ] ||
  headwise train errors --backbone gemma-3-270m --prompt bilingual --with-head "$work/sigmoid" \
    --prompt-column source_language=source_language --prompt-column target_language=target_language \
    --data "$work/texts/train.tsv" --dev "$work/texts/dev.tsv" --layers 12 --copies 2 \
    --output "$work/errors"
headwise export --model gemma-3-270m --head "$work/errors" --dtype bfloat16 "$work/exported"
rm "$work/exported/shared_unembedding_head.py"  # `headwise export` writes it again
