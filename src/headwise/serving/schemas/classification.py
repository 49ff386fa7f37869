"""Pairs to classify, as vLLM and text-embeddings-inference take them."""

from typing import Self

from pydantic import Field, model_validator

from headwise.serving.schemas.base import OpenSchema, example

Threshold = Field(default=None, ge=0, allow_inf_nan=False)
"""The model abstains where its uncertainty is at least this; by default the model's own.

One that `EntailmentModel.tune_threshold` found for a risk keeps its promise here.
"""

_PAIR = ["A man is playing guitar on stage.", "A person is making music."]


class ClassifyRequest(OpenSchema):
    """Premises and hypotheses (https://docs.vllm.ai/en/latest/models/pooling_models/classify/).

    Other fields are ignored, as vLLM does it.

    Attributes:
        model: The encoder's name, if the client wants to be sure.
        input: Pairs of premise and hypothesis.
        text_1: Premises, as vLLM's ``/score`` calls what it reads jointly; one text or a list.
        text_2: Hypotheses, likewise; one text goes with all on the other side.
        threshold: From which uncertainty on the model abstains; by default its own.
    """

    model_config = example(input=[_PAIR])

    model: str | None = None
    input: list[tuple[str, str]] | None = Field(default=None, min_length=1)
    text_1: str | list[str] | None = None
    text_2: str | list[str] | None = None
    threshold: float | None = Threshold

    @model_validator(mode="after")
    def _pairs_or_texts(self) -> Self:
        sides = (self.text_1, self.text_2)
        if (self.input is not None) == any(side is not None for side in sides):
            raise ValueError(
                "give pairs of premise and hypothesis as `input`, or `text_1` and `text_2`"
            )
        if self.input is None and None in sides:
            raise ValueError("`text_1` and `text_2` go together")
        if all(isinstance(side, list) for side in sides) and len(sides[0]) != len(sides[1]):  # type: ignore[arg-type]
            raise ValueError("`text_1` and `text_2` must have the same length")
        return self


class PredictRequest(OpenSchema):
    """A pair or a batch (https://huggingface.github.io/text-embeddings-inference/).

    Other fields are ignored, as its servers do it.

    Attributes:
        inputs: A premise and a hypothesis, or a list of such pairs.
        raw_scores: Log-probabilities instead of probabilities.
        truncate: Not used: texts are read whole or refused.
        threshold: From which uncertainty on the model abstains; by default its own.
    """

    model_config = example(inputs=_PAIR)

    inputs: tuple[str, str] | list[tuple[str, str]]
    raw_scores: bool = False
    truncate: bool = False
    threshold: float | None = Threshold

    @property
    def is_single(self) -> bool:
        """Whether one pair is asked about, and not a list."""
        return bool(self.inputs) and isinstance(self.inputs[0], str)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """All pairs."""
        return [self.inputs] if self.is_single else list(self.inputs)  # type: ignore[arg-type,list-item]
