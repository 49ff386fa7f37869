#!/usr/bin/env bash
# Trains the error head beside the Sigmoid Head of train_head.py, calibrates both, and writes them in
# bfloat16. Takes about an hour on two cores, and minutes more for the calibration; stopped at any point, the same command continues.
#
#   recipes/gemma_3_270m/build.sh DATA WORK
#
# DATA is that of the README; the heads end up in WORK/exported.
set -euo pipefail
data=$1 work=$2
cd "$(dirname "$0")"
[ -f "$work/texts/dev.tsv" ] ||
  python write_pairs.py --data "$data" --output "$work/texts" --each 600 --short 300 --dev 150
[ -f "$work/errors/error_head.json" ] ||
  headwise train errors --backbone gemma-3-270m --prompt bilingual --with-head "$work/sigmoid" \
    --prompt-column source_language=source_language --prompt-column target_language=target_language \
    --data "$work/texts/train.tsv" --dev "$work/texts/dev.tsv" --layers 12 --copies 2 \
    --output "$work/errors"
# The calibration is of more languages than the heads
[ -f "$work/texts-calibrate/calibrate.tsv" ] ||
  python write_pairs.py --data "$data" --output "$work/texts-calibrate" \
    --languages en-de ru-en en-zh --each 130 --short 130 --train 400 --dev 80 --calibrate 240
[ -f "$work/calibrated/calibration.json" ] ||
  headwise calibrate "$work/texts-calibrate/calibrate.tsv" --model gemma-3-270m --head "$work/errors" \
    --synthetic several --signal logprob,error --context --method platt \
    --text-signal logprob --aggregation root_length --ranking softmax \
    --output "$work/calibrated"
headwise export --model gemma-3-270m --head "$work/calibrated" --dtype bfloat16 "$work/exported"
rm "$work/exported/shared_unembedding_head.py"  # `headwise export` writes it again
