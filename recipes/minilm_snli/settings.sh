# What build.sh and results.sh train: heads that compare tokens of the embedding and of layer 4
lessons=(joined repeated conjoined reversed negated number roles)
interaction=(--reads interaction --layers 0,4)
taught=("${interaction[@]}" "${lessons[@]/#/--lesson=}")
pairs=(--data train.tsv --dev held-out.tsv)
