#!/usr/bin/env bash
# From text to the bundled model: tokeniser, backbone, head, BLEU. Takes about an hour and a half
# on two cores; stopped at any point, the same command continues.
#
#   recipes/tiny_en_de/build.sh DATA WORK
#
# DATA holds tatoeba-en-de/ and multi30k-en-de/ with the TSV files named below; WORK is a folder
# for checkpoints and the result, which ends up in WORK/tiny_en_de.
set -euo pipefail
data=$1 work=$2
cd "$(dirname "$0")"
train=("$data/tatoeba-en-de/train.tsv.gz" "$data/multi30k-en-de/train.tsv.gz")
dev=("$data/tatoeba-en-de/dev-multireference.tsv.gz" "$data/multi30k-en-de/dev.tsv.gz")
model=$work/tiny_en_de

[ -f "$work/tokenizer/tokenizer.json" ] ||
  python train_tokenizer.py --train "${train[@]}" --output "$work/tokenizer"
[ -f "$work/backbone/model.safetensors" ] ||
  python train_backbone.py --train "${train[@]}" --dev "${dev[@]}" \
    --tokenizer "$work/tokenizer" --output "$work/backbone"
[ -f "$work/head/config.json" ] ||
  { python write_pairs.py --train "${train[@]}" --dev "${dev[@]}" --output "$work/train.tsv"
    headwise train sigmoid --backbone "$work/backbone" --backbone-name tiny-en-de --prompt tiny \
      --data "$work/train.tsv" $(printf -- '--dev %s ' "${dev[@]}") \
      --epochs 6 --output "$work/head"; }

mkdir -p "$model"
cp "$work"/backbone/{config.json,generation_config.json,model.safetensors} \
  "$work"/backbone/{tokenizer.json,tokenizer_config.json} "$model"
headwise export --model "$work/backbone" --head "$work/head" --dtype bfloat16 "$model/head"
rm "$model/head/sigmoid_head.py"  # headwise never runs it, and `headwise export` writes it again
python evaluate_bleu.py --model "$model" --test "$data/multi30k-en-de/test-2016-flickr.tsv.gz"
