#!/usr/bin/env bash
# Everything under "Evaluation" in docs/results.md: reports in WORK, all tables in
# WORK/evaluation-tables.md, which is docs/evaluation-tables.md.
# Takes about ten minutes on two cores.
#
#   recipes/evaluation/results.sh DATA WORK [MODEL]
#
# DATA holds tatoeba-en-de/, multi30k-en-de/, mlqe-pe-en-de/ and mqm-ted-en-de/.
set -euo pipefail
data=$1 work=$2 model=${3:-tiny-en-de}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$work"
python "$here/prepare_mlqe_pe.py" --data "$data/mlqe-pe-en-de" --part test \
  --output "$work/mlqe-test.jsonl"
python "$here/sample_translations.py" --data "$data/multi30k-en-de/test-2016-flickr.tsv.gz" \
  --model "$model" --samples 4 --temperature 1.0 --output "$work/multi30k-samples.jsonl"

evaluate() { # evaluate NAME TITLE INPUT OPTIONS...
  local name=$1 title=$2
  shift 2
  headwise evaluate "$@" --model "$model" --title "$title" --report "$work/$name" \
    >"$work/$name.txt"
}
evaluate ambiguity "Tatoeba: errors against valid alternatives" \
  "$data/tatoeba-en-de/dev-multireference.tsv.gz" --protocol ambiguity \
  --corpus "$data/tatoeba-en-de/train.tsv.gz"
evaluate captions "Captions: errors put into references" \
  "$data/multi30k-en-de/test-2016-flickr.tsv.gz" --synthetic independent,crude,plausible \
  --corpus "$data/multi30k-en-de/train.tsv.gz"
evaluate chrf "Sampled translations of captions against chrF" \
  "$work/multi30k-samples.jsonl" --gold chrf --monte-carlo 4
evaluate bleu "Sampled translations of captions against BLEU" \
  "$work/multi30k-samples.jsonl" --gold bleu --monte-carlo 4
evaluate da "Wikipedia: human direct assessments" \
  "$work/mlqe-test.jsonl" --gold z_mean --column model_scores
evaluate tags "Wikipedia: human word tags" \
  "$work/mlqe-test.jsonl" --protocol error-detection
evaluate mqm "TED talks: human MQM spans" \
  "$data/mqm-ted-en-de/mqm.tsv.gz" --protocol spans
{
  echo "# Evaluation: all tables"
  echo
  echo "Written by \`recipes/evaluation/results.sh\`. [Results](results.md#evaluation) says what they mean."
  for name in ambiguity captions chrf bleu da tags mqm; do
    echo
    sed "s#$data#DATA#g; s#$work#WORK#g; s/^#/##/" "$work/$name/tables.md" | cat -s | sed '$ { /^$/d }'
  done
} >"$work/evaluation-tables.md"
