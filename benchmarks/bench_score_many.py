"""`score_many` against the model card's recipe, pair by pair and as a batched loop.

The recipe asks the language model for its logits and all its hidden states, and builds the
head's whole output ``[B, T, V]`` to read one column a position.
"""

import torch
from transformers import AutoModel

from comparison import compare_seconds, device_line, load_pairs, pairs_argument
from headwise import QualityEstimator
from headwise.bundled.registry import bundled_folder

MODEL = "tiny-en-de"


@torch.no_grad()
def recipe(estimator: QualityEstimator, head: torch.nn.Module, pair: tuple[str, str]) -> float:
    """The card's steps for one pair; mean score over hypothesis and closing tokens."""
    tokenizer, model = estimator.backbone.tokenizer, estimator.backbone.model
    prompt = f"<s> {pair[0]}<|target|>"
    ids = tokenizer(f"{prompt} {pair[1]}</s>", return_tensors="pt", add_special_tokens=False)
    prompt_length = len(tokenizer(prompt, add_special_tokens=False).input_ids)
    output = model(ids.input_ids, output_hidden_states=True)
    scores = head.score(output.hidden_states[-1].float())[:, :-1]
    own = scores.gather(-1, ids.input_ids[:, 1:].unsqueeze(-1)).squeeze(-1)
    return float(own[0, prompt_length - 1 :].mean())


@torch.no_grad()
def batched_recipe(
    estimator: QualityEstimator, head: torch.nn.Module, pairs: list[tuple[str, str]], size: int
) -> list[float]:
    """The same in file order, ``size`` pairs at a time, padded on the right."""
    tokenizer, model = estimator.backbone.tokenizer, estimator.backbone.model
    means = []
    for start in range(0, len(pairs), size):
        part = pairs[start : start + size]
        prompts = [f"<s> {source}<|target|>" for source, _ in part]
        texts = [f"{p} {h}</s>" for p, (_, h) in zip(prompts, part, strict=True)]
        batch = tokenizer(
            texts, return_tensors="pt", padding=True, padding_side="right", add_special_tokens=False
        )
        lengths = [len(row) for row in tokenizer(prompts, add_special_tokens=False).input_ids]
        ids, mask = batch.input_ids, batch.attention_mask
        output = model(ids, attention_mask=mask, output_hidden_states=True)
        scores = head.score(output.hidden_states[-1].float())[:, :-1]
        own = scores.gather(-1, ids[:, 1:].unsqueeze(-1)).squeeze(-1)
        for row, length in enumerate(lengths):
            end = int(mask[row].sum()) - 1
            means.append(float(own[row, length - 1 : end].mean()))
    return means


def main() -> None:
    """Check that all sides agree, then time them."""
    arguments = pairs_argument(__doc__)
    pairs = load_pairs(arguments.pairs, arguments.count)
    estimator = QualityEstimator.from_pretrained(MODEL)
    head = AutoModel.from_pretrained(bundled_folder(MODEL) / "head", dtype=torch.float32).eval()
    print(f"{len(pairs)} pairs, {device_line()}")

    def ours() -> list[float]:
        return [
            one.aggregate(special_tokens=True)
            for one in estimator.score_many(pairs, signals=["sigmoid"])
        ]

    def one_by_one() -> list[float]:
        return [recipe(estimator, head, pair) for pair in pairs]

    def batched() -> list[float]:
        return batched_recipe(estimator, head, pairs, 32)

    for name, theirs in (("pair by pair", one_by_one), ("batches of 32, file order", batched)):
        worst = max(abs(a - b) for a, b in zip(ours(), theirs(), strict=True))
        print(f"largest difference of a sentence score: {worst:.1e}")
        assert worst < 1e-4, "the sides disagree"
        compare_seconds(name, ours, theirs, labels=("score_many", "recipe"), repeats=5)


if __name__ == "__main__":
    main()
