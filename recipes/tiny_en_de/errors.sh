#!/usr/bin/env bash
# Trains the error head of the bundled model on text with errors put in, then calibrates both heads.
# Takes about half an hour on two cores; stopped at any point, the same command continues.
#
#   recipes/tiny_en_de/errors.sh DATA WORK [MODEL]
#
# DATA holds tatoeba-en-de/ and multi30k-en-de/; the folder of both heads, calibrated, ends up in
# WORK/calibrated. MODEL is the bundled name, or the folder WORK/tiny_en_de of build.sh.
set -euo pipefail
data=$1 work=$2 model=${3:-tiny-en-de}
head=tiny-en-de; [ -d "$model/head" ] && head=$model/head
cd "$(dirname "$0")"
train=("$data/tatoeba-en-de/train.tsv.gz" "$data/multi30k-en-de/train.tsv.gz")
# Neither is trained on; the captions alone decide when to stop
held=("$data/tatoeba-en-de/dev-multireference.tsv.gz" "$data/multi30k-en-de/dev.tsv.gz"
  "$data/multi30k-en-de/test-2016-flickr.tsv.gz")

mkdir -p "$work"
[ -f "$work/errors.tsv" ] ||
  python write_pairs.py --train "${train[@]}" --dev "${held[@]}" \
    --output "$work/errors.tsv"
[ -f "$work/errors/error_head.json" ] ||
  headwise train errors --backbone "$model" --backbone-name tiny-en-de --with-head "$head" \
    --data "$work/errors.tsv" --dev "$data/multi30k-en-de/dev.tsv.gz" --language de \
    --output "$work/errors"
rm -rf "$work/both"
headwise export --model "$model" --head "$work/errors" --dtype bfloat16 "$work/both"
rm "$work/both/sigmoid_head.py"  # headwise never runs it, and `headwise export` writes it again
./calibrate.sh "$data" "$work" "$model" "$work/both"
