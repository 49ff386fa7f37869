"""Train the bundled Sigmoid Head of Gemma 3 270M on the features that the comparison has."""

import argparse
from dataclasses import replace
from pathlib import Path

from features import LAYERS, features, gemma, prompt, text_sets

from headwise.features.batch import LayerFeatures
from headwise.training import default_settings, train_sigmoid_head
from headwise.training.sigmoid import steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    arguments = parser.parse_args()
    backbone = gemma()
    cached = features(backbone, arguments.data, arguments.work)
    texts = text_sets(arguments.data)
    given = backbone.layer_numbers(LAYERS)
    read = {n: LayerFeatures(cached[n], backbone, given, (-1,)) for n in ("train", "dev")}

    def from_comparison(*_: object, **__: object) -> tuple[dict[str, LayerFeatures], str]:
        return read, "those of the comparison"

    # The same texts need not be read again for a cache of one layer
    steps.choose_features = from_comparison  # type: ignore[assignment]
    usual = default_settings(backbone.hidden_size, backbone.vocabulary_size)
    train_sigmoid_head(
        backbone,
        texts["train"],
        texts["dev"],
        arguments.work / "sigmoid",
        prompt=prompt(),
        backbone_name="gemma-3-270m",
        settings=replace(usual, epochs=4),
        data=["tatoeba-en-de", "mlqe-pe-en-de (post-edits)"],
        dev_data=["the same, held out"],
    )


if __name__ == "__main__":
    main()
