"""BLEU of a model's beam-search translations, by sacrebleu."""

import argparse
import sys
from pathlib import Path

import sacrebleu
import torch

from corpus import read_pairs
from headwise.backbones import load_backbone, parse_prompt
from headwise.backbones.encodings import length_batches


@torch.inference_mode()
def translate(model: str, sources: list[str], *, beams: int, batch_tokens: int) -> list[str]:
    """Translate sentences in batches of similar length."""
    backbone = load_backbone(model)
    tokenizer = backbone.tokenizer
    prompt = parse_prompt("tiny")
    texts = [prompt.render_prompt(tokenizer, source) for source in sources]
    lengths = [len(ids) for ids in tokenizer(texts, add_special_tokens=False).input_ids]
    translations = [""] * len(texts)
    for batch in length_batches(lengths, max_tokens=batch_tokens):
        inputs = tokenizer(
            [texts[i] for i in batch],
            add_special_tokens=False,
            padding=True,
            padding_side="left",
            return_tensors="pt",
        )
        inputs.pop("token_type_ids", None)
        output = backbone.model.generate(
            **inputs, num_beams=beams, max_new_tokens=2 * max(lengths[i] for i in batch) + 10
        )
        written = tokenizer.batch_decode(
            output[:, inputs.input_ids.shape[1] :], skip_special_tokens=True
        )
        for index, text in zip(batch, written, strict=True):
            translations[index] = text.strip()
    return translations


def main() -> None:
    """Print the score with sacrebleu's signature."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="folder of the backbone")
    parser.add_argument("--test", type=Path, required=True, help="TSV of source and reference")
    parser.add_argument("--beams", type=int, default=4)
    parser.add_argument("--batch-tokens", type=int, default=1024)
    parser.add_argument("--output", type=Path, help="where to write the translations")
    arguments = parser.parse_args()
    pairs = read_pairs([arguments.test])
    translations = translate(
        arguments.model,
        [source for source, _ in pairs],
        beams=arguments.beams,
        batch_tokens=arguments.batch_tokens,
    )
    if arguments.output:
        arguments.output.write_text("\n".join(translations) + "\n", encoding="utf-8")
    metric = sacrebleu.BLEU()
    print(metric.corpus_score(translations, [[reference for _, reference in pairs]]))
    print(metric.get_signature(), file=sys.stderr)


if __name__ == "__main__":
    main()
