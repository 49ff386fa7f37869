#!/usr/bin/env bash
# Calibrates the bundled heads on text with synthetic errors, and checks the result on other text.
# Takes about a minute on two cores. Hypotheses of one source are ranked by the softmax, which agrees
# best with chrF on samples of multi30k-en-de/dev (acc_eq 0.661, quality 0.621; see docs/results.md).
#
#   recipes/tiny_en_de/calibrate.sh DATA WORK [MODEL [HEAD]]
#
# DATA holds tatoeba-en-de/ and multi30k-en-de/; the calibrated heads end up in WORK/calibrated.
# MODEL is the bundled name, or the folder WORK/tiny_en_de of build.sh with its head in head/. HEAD is
# a folder of heads instead of the model's own, such as that of errors.sh.
set -euo pipefail
data=$1 work=$2 model=${3:-tiny-en-de}
head=(); [ -d "$model/head" ] && head=(--head "$model/head")
[ -n "${4:-}" ] && head=(--head "$4")
cd "$(dirname "$0")"
mkdir -p "$work"
for half in even odd; do
  python select_sources.py --half $half "$data/tatoeba-en-de/dev-multireference.tsv.gz" \
    "$work/tatoeba-$half.tsv"
done
headwise calibrate "$data/multi30k-en-de/dev.tsv.gz" "$work/tatoeba-even.tsv" \
  --model "$model" "${head[@]}" --synthetic crude,plausible --method isotonic \
  --precision 0.5 --recall 0.9 --risk 0.1 --threshold mcc --ranking softmax --output "$work/calibrated"
python check_calibration.py "$work/tatoeba-odd.tsv" "$data/multi30k-en-de/test-2016-flickr.tsv.gz" \
  --model "$model" --head "$work/calibrated"
