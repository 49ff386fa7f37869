#!/usr/bin/env bash
# Everything under "Entailment" in docs/results.md but the speed: what the head reads, which layers,
# what lessons teach, what the abstention head learns from, what a guarantee is worth, claims and
# routes. Three seeds, several hours; stopped at any point, it goes on.
#
#   recipes/minilm_snli/results.sh DATA WORK
#
# WORK is that of build.sh, which runs first.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) data=$(cd "$1" && pwd) work=$2
[ -f "$work/minilm_snli/config.json" ] || "$here/build.sh" "$1" "$work"
. "$here/settings.sh"
cd "$work"
train() { # train OUTPUT FEATURES OPTION...
  [ -f "$1/config.json" ] || headwise train nli --backbone all-MiniLM-L6-v2 "${pairs[@]}" \
    --output "$1" --feature-folder "$2" "${@:3}"
}
abstain() { # abstain HEADS OUTPUT FEATURES OPTION...
  [ -f "$2/config.json" ] || headwise train abstention --heads "$1" "${pairs[@]}" \
    --output "$2" --feature-folder "$3" "${@:4}"
}
judge() { # judge HEADS
  headwise evaluate-nli "$data/snli/dev.tsv.gz" --model all-MiniLM-L6-v2 --heads "$1" \
    --json "$1.json" >"$1.txt"
}
for seed in 0 1 2; do
  for reads in pair joint pair+joint; do
    train reads-$reads-$seed features --reads $reads --seed $seed
  done
  train reads-interaction-$seed features-plain "${interaction[@]}" --seed $seed
  train taught-$seed features-$seed "${taught[@]}" --seed $seed
  abstain taught-$seed two-$seed features-$seed --second --no-reads-hidden --labels own_errors
  for labels in out_of_fold_probability out_of_fold own_errors; do
    abstain reads-pair-$seed labels-$labels-$seed features --labels $labels --seed $seed
    judge labels-$labels-$seed
  done
  for heads in reads-{pair,joint,pair+joint,interaction} taught two; do
    judge $heads-$seed
  done
done
train layers-last-0 features-last --reads interaction --layers 0,-1
train layers-4-0 features-4 --reads interaction --layers 4
train unrelated-0 features-unrelated "${taught[@]}" --lesson unrelated
judge layers-last-0
judge layers-4-0
judge unrelated-0
python "$here/tables.py" .
for heads in reads-pair-0 reads-interaction-0 taught-0 unrelated-0; do
  echo "$heads"
  python "$here/check_claims.py" held-out.tsv --heads $heads --together 1 2 \
    --min-similarity -1 0.2 0.3 0.4
done
python "$here/compare_abstention.py" "$data/snli/dev.tsv.gz" --heads minilm_snli
python "$here/what_tells_errors.py" "$data/snli/dev.tsv.gz" --train train.tsv --heads minilm_snli
python "$here/check_guarantee.py" "$data/snli/dev.tsv.gz" --heads minilm_snli
python "$here/check_routes.py" --heads minilm_snli
python "$here/check_claims.py" "$data/snli/dev.tsv.gz" --heads minilm_snli
