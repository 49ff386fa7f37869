#!/usr/bin/env bash
# Everything under "Entailment" in docs/results.md but the speed: what the head reads, what the
# abstention head learns from, what a guarantee is worth, and claims. Three seeds; takes about
# fifteen minutes on two cores.
#
#   recipes/minilm_snli/results.sh DATA WORK
#
# WORK is that of build.sh, which runs first.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) data=$(cd "$1" && pwd) work=$2
[ -f "$work/minilm_snli/config.json" ] || "$here/build.sh" "$1" "$work"
cd "$work"
pairs=(--data train.tsv --dev held-out.tsv --feature-folder features)
judge() { # judge HEADS
  headwise evaluate-nli "$data/snli/dev.tsv.gz" --model all-MiniLM-L6-v2 --heads "$1" \
    --json "$1.json" >"$1.txt"
}
for seed in 0 1 2; do
  for reads in pair joint pair+joint; do
    headwise train nli --backbone all-MiniLM-L6-v2 "${pairs[@]}" --reads $reads --seed $seed \
      --output reads-$reads-$seed
    judge reads-$reads-$seed
  done
  for labels in out_of_fold_probability out_of_fold own_errors; do
    headwise train abstention --heads reads-pair-$seed "${pairs[@]}" --labels $labels --seed $seed \
      --output labels-$labels-$seed
    judge labels-$labels-$seed
  done
done
python "$here/tables.py" .
python "$here/compare_abstention.py" "$data/snli/dev.tsv.gz" --heads minilm_snli
python "$here/check_guarantee.py" "$data/snli/dev.tsv.gz" --heads minilm_snli
python "$here/check_routes.py" --heads minilm_snli
python "$here/check_claims.py" held-out.tsv --heads minilm_snli --together 1 \
  --min-similarity -1 0.2 0.3 0.4
python "$here/check_claims.py" "$data/snli/dev.tsv.gz" --heads minilm_snli --min-similarity 0.3
