#!/usr/bin/env bash
# Exports the Sigmoid Head of train_head.py in bfloat16 and calibrates it on held-out text with
# errors of known place. Takes about ten minutes on two cores.
#
#   recipes/gemma_3_270m/build.sh DATA WORK
#
# The calibrated head ends up in WORK/exported.
set -euo pipefail
data=$1 work=$2
cd "$(dirname "$0")"
python write_pairs.py --data "$data" --output "$work/texts" --each 600 --short 300 --dev 100
headwise export --model gemma-3-270m --head "$work/sigmoid" --dtype bfloat16 "$work/exported"
rm "$work/exported/shared_unembedding_head.py"  # `headwise export` writes it again
headwise calibrate "$work/texts/dev.tsv" --model gemma-3-270m --head "$work/exported" \
  --synthetic crude,plausible --method isotonic \
  --precision 0.5 --recall 0.9 --risk 0.1 --threshold mcc --in-place
