#!/usr/bin/env bash
# Everything under "Judged by people" in docs/results.md; prints docs/judged-by-people.md. All sets are
# scored by the heads of gemma-3-270m, or by HEADS, and by an error head that learned from labels, LABELLED.
#
#   recipes/judged_by_people/results.sh DATA WORK LABELLED [HEADS]
#
# The language model's reading takes hours on two cores, and is kept; the rest takes half an hour.
set -euo pipefail
data=$1 work=$2 labelled=$3 heads=(); [ -n "${4:-}" ] && heads=(--head "$4")
cd "$(dirname "$0")"
assessed=(et-en-test ru-en-test en-zh-test en-de-test)
systems=(mqm-en-de mqm-zh-en esa-en-cs)
sets=("${assessed[@]}" hjqe-en-de-test "${systems[@]}" et-en-references)
[ -d "$work/sets" ] || python prepare.py --data "$data" --output "$work/sets"
score() { # score FOLDER OPTIONS...
  local folder=$1 name
  shift
  for name in "${sets[@]}"; do
    [ -f "$work/$folder/$name.jsonl" ] || python score.py --sets "$work/sets" --work "$work" --output "$work/$folder" "$@" "$name"
  done
}
score scored "${heads[@]}"
sets=(hjqe-en-de-test)
score scored-labelled --head "$labelled"

evaluate() { # evaluate FOLDER SET QUESTION OPTIONS...
  local output="$work/evaluations/$1/$2.$3.json" input="$work/$1/$2.jsonl"
  shift 3
  mkdir -p "$(dirname "$output")"
  [ -f "$output" ] || headwise evaluate "$input" --aggregations mean,min,noisy_or,root_length \
    --json "$output" "$@" >"${output%.json}.txt" || [ $? = 3 ]
}
gold() { case $1 in *-test) echo z_mean ;; mqm-*) echo mqm_score ;; esa-*) echo esa ;; esac; }
for name in "${assessed[@]}" "${systems[@]}"; do
  evaluate scored "$name" texts --gold "$(gold "$name")" --by length
done
for name in "${assessed[@]}" hjqe-en-de-test "${systems[@]}"; do
  evaluate scored "$name" tokens --protocol error-detection --units token
done
evaluate scored-labelled hjqe-en-de-test tokens --protocol error-detection --units token
for name in "${systems[@]}"; do
  evaluate scored "$name" error-free --gold error-free
done
evaluate scored et-en-references references --protocol references --gold z_mean --below -0.5
python tables.py "$work/evaluations"
