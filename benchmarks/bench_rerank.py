"""`rerank` of 16 hypotheses of one 200-token source against 16 `score` calls."""

from comparison import compare_seconds, device_line
from headwise import QualityEstimator
from headwise.bundled.examples import example_pairs

MODEL, TOKENS, CANDIDATES = "tiny-en-de", 200, 16


def main() -> None:
    """Check that both sides agree, then time them."""
    estimator = QualityEstimator.from_pretrained(MODEL)
    tokenizer = estimator.backbone.tokenizer
    pairs = example_pairs()
    sentences = [pair.source or "" for pair in pairs]
    source = ""
    for index in range(200):
        longer = f"{source} {sentences[index % len(sentences)]}".strip()
        if len(tokenizer(longer).input_ids) > TOKENS:
            break
        source = longer
    texts = [pair.hypothesis for pair in pairs]
    count = len(texts)
    # Two sentences each; the second round pairs them differently, so that all differ
    candidates = [
        f"{texts[i % count]} {texts[(i + 1 + i // count) % count]}" for i in range(CANDIDATES)
    ]
    length = len(tokenizer(source).input_ids)
    print(f"source of {length} tokens, {CANDIDATES} hypotheses, {device_line()}")

    def ours() -> dict[str, float | None]:
        return {one.hypothesis: one.score for one in estimator.rerank(source, candidates)}

    def one_by_one() -> dict[str, float | None]:
        return {text: estimator.score(source, text).score for text in candidates}

    first, second = ours(), one_by_one()
    worst = max(abs(first[text] - second[text]) for text in candidates)
    print(f"largest difference of a sentence score: {worst:.1e}")
    assert worst < 1e-4, "the sides disagree"
    compare_seconds("rerank", ours, one_by_one, labels=("rerank", "score calls"), repeats=9)


if __name__ == "__main__":
    main()
