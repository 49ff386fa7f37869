"""Read many pairs with the NLI and abstention heads, in batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from headwise.backbones import EncodedText
from headwise.choices import NLIFeatures
from headwise.data.records.inferences import parse_label
from headwise.entailment.embedding import EmbeddedTexts, HeadedEncoder
from headwise.entailment.inputs import is_pair
from headwise.errors import CalibrationError, InputError, TextError
from headwise.functional.class_uncertainty import Uncertainty, class_uncertainty
from headwise.functional.pair_features import pair_features
from headwise.heads import LEARNED, NLI_LABELS, InferenceInputs, NLILabel, PairedTokens, TaskHeads
from headwise.metrics import threshold_for_coverage, threshold_for_risk, threshold_with_guarantee


@dataclass(frozen=True, slots=True, repr=False)
class Prediction:
    """What a hypothesis is to its premise, and whether the model stands by it.

    Attributes:
        label: The most probable class: ``entailment``, ``neutral`` or ``contradiction``.
        confidence: Its probability, in [0, 1].
        probabilities: Of all three classes, by name.
        abstain: Whether the model had better not answer: its uncertainty reaches the threshold.
        uncertainty: In [0, 1]; from the abstention head, or from the probabilities; 1 where a
            text has nothing but tokens that the encoder does not know.
    """

    label: str
    confidence: float
    probabilities: Mapping[str, float]
    abstain: bool
    uncertainty: float

    @property
    def entailment(self) -> float:
        """Probability of entailment, in [0, 1]."""
        return self.probabilities[NLILabel.ENTAILMENT.value]

    def answers(self, label: NLILabel) -> bool:
        """Whether the model says ``label`` and stands by it."""
        return self.label == label and not self.abstain

    def at(self, threshold: float | None) -> "Prediction":
        """The same with another threshold for abstention; ``None`` keeps it as it is.

        Args:
            threshold: An uncertainty, from 0 on.
        """
        if threshold is None:
            return self
        return replace(self, abstain=self.uncertainty >= threshold)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name!r}: {value:.3f}" for name, value in self.probabilities.items())
        return (
            f"Prediction(label={self.label!r}, confidence={self.confidence:.3f}, "
            f"abstain={self.abstain}, uncertainty={self.uncertainty:.3f}, "
            f"probabilities={{{shown}}})"
        )


# Pairs that are read together at most: enough to find some of similar length
WINDOW = 1024


def uncertainty_name(heads: TaskHeads) -> str:
    """What the uncertainty of these heads is: ``learned``, or a function of the logits.

    Heads that ask for a learned one and have no abstention head take ``max_probability``.
    """
    if heads.config.abstain_by == LEARNED and heads.abstention is None:
        return Uncertainty.MAX_PROBABILITY.value
    return heads.config.abstain_by


def predict_pairs(
    encoder: HeadedEncoder, pairs: Sequence[tuple[str, str]], *, threshold: float
) -> list[Prediction | InputError]:
    """Predict pairs, in order; an error stands in the place of a pair that cannot be read.

    Heads that read pairs apart cost one pass of the encoder for each distinct text that is not
    remembered; heads that read them together cost one for each pair.

    Raises:
        ValueError: If there are no heads.
    """
    heads = encoder.heads_for("predict")
    good = [i for i, pair in enumerate(pairs) if is_pair(pair)]
    inputs, unknown, wrong = _read(encoder, heads.config.features, [pairs[i] for i in good])
    errors = {good[place]: error for place, error in wrong.items()}
    for i in set(range(len(pairs))).difference(good):
        errors[i] = TextError(
            f"A pair must be a tuple of premise and hypothesis, got {str(pairs[i])[:40]!r}."
        )
    with torch.inference_mode():
        predictions = iter(
            _predictions(heads, inputs.to(encoder.backbone.device), unknown, threshold=threshold)
            if len(inputs)
            else ()
        )
    return [errors[i] if i in errors else next(predictions) for i in range(len(pairs))]


def _read(
    encoder: HeadedEncoder, kind: NLIFeatures, pairs: Sequence[tuple[str, str]]
) -> tuple[InferenceInputs, list[bool], dict[int, InputError]]:
    """What the NLI head reads of the n readable pairs, and why others are not.

    In between, which of the n have a text of nothing but unknown tokens.
    """
    parts: list[Tensor] = []
    errors: dict[int, InputError] = {}
    sides: list[EmbeddedTexts] = []
    codes: dict[int, EncodedText] = {}
    tokens: PairedTokens | None = None
    if kind.needs_pair:
        for side, what in enumerate(("premise", "hypothesis")):
            texts = [pair[side] for pair in pairs]
            found = encoder.remembered.embed(texts, what=what, tokens=kind.needs_tokens)
            sides.append(found)
            errors = found.errors | errors
    if kind.needs_joint:
        places = [i for i in range(len(pairs)) if i not in errors]
        encoded = encoder.backbone.encode_pairs([pairs[i] for i in places])
        for i, code in zip(places, encoded, strict=True):
            if isinstance(code, InputError):
                errors[i] = code
            else:
                codes[i] = code
    good = [i for i in range(len(pairs)) if i not in errors]
    rows = [side.rows_of(good) for side in sides]
    unknown = [False] * len(good)
    if kind.needs_pair:
        parts.append(pair_features(*(side.take(good) for side in sides)))
        both = zip(*rows, strict=True)
        unknown = [any(side.unknown[n] for side, n in zip(sides, at, strict=True)) for at in both]
    if kind.needs_joint:
        parts.append(encoder.backbone.joint([codes[i] for i in good]))
        unknown = [encoder.backbone.says_nothing(codes[i]) for i in good]
    if kind.needs_tokens and good:
        premises, hypotheses = map(torch.tensor, rows)
        each = [one for side in sides for one in side.tokens]
        tokens = PairedTokens(
            torch.cat(each),
            torch.tensor([len(one) for one in each]),
            premises,
            hypotheses + len(sides[0].tokens),
        )
    return InferenceInputs(torch.cat(parts, dim=-1), tokens), unknown, errors


def _predictions(
    heads: TaskHeads, inputs: InferenceInputs, unknown: Sequence[bool], *, threshold: float
) -> list[Prediction]:
    """What the heads make of pairs; where a text is ``unknown``, nothing is certain."""
    hidden, logits, evidence = heads.read(inputs)
    name = uncertainty_name(heads)
    if name == LEARNED:
        assert heads.abstention is not None
        uncertainty = heads.abstention.uncertainty(hidden, logits, evidence)
    else:
        uncertainty = class_uncertainty(logits, Uncertainty(name))
    names = [label.value for label in NLI_LABELS]
    predictions = []
    uncertainty = uncertainty.masked_fill(torch.tensor(unknown, device=uncertainty.device), 1.0)
    for probabilities, doubt in zip(
        logits.softmax(dim=-1).tolist(), uncertainty.tolist(), strict=True
    ):
        best = max(range(len(names)), key=probabilities.__getitem__)
        predictions.append(
            Prediction(
                label=names[best],
                confidence=probabilities[best],
                probabilities=dict(zip(names, probabilities, strict=True)),
                abstain=doubt >= threshold,
                uncertainty=doubt,
            )
        )
    return predictions


def find_threshold(
    predictions: Sequence[Prediction],
    labels: Sequence[object] | None,
    *,
    coverage: float | None,
    risk: float | None,
    confidence: float | None,
) -> float:
    """Find a threshold; `EntailmentModel.tune_threshold` says what is given and raised."""
    if (coverage is None) == (risk is None):
        raise ValueError("Give exactly one of `coverage` and `risk`.")
    if confidence is not None and risk is None:
        raise ValueError("`confidence` is about a `risk`; give one.")
    if not predictions:
        raise ValueError("There are no pairs to choose a threshold on; give some.")
    uncertainty = [prediction.uncertainty for prediction in predictions]
    if coverage is not None:
        return threshold_for_coverage(uncertainty, coverage=coverage)
    assert risk is not None
    wrong = _wrong(predictions, labels)
    if confidence is None:
        found = threshold_for_risk(uncertainty, wrong, risk=risk)
    else:
        found = threshold_with_guarantee(uncertainty, wrong, risk=risk, confidence=confidence)
    if found is None:
        raise CalibrationError(
            f"No threshold keeps errors among answers at {risk:g} on these {len(wrong)} pairs, of "
            f"which {sum(wrong)} are wrong; allow more risk, or give more pairs."
        )
    return found


def _wrong(predictions: Sequence[Prediction], labels: Sequence[object] | None) -> list[bool]:
    if labels is None or len(labels) != len(predictions):
        raise ValueError(
            f"A risk needs a label for each of {len(predictions)} pairs, got "
            f"{'none' if labels is None else len(labels)}."
        )
    wrong = []
    for index, (prediction, label) in enumerate(zip(predictions, labels, strict=True)):
        if (gold := parse_label(label)) is None:
            raise ValueError(
                f"labels[{index}] says that annotators did not agree ({label!r}); leave the pair "
                "out."
            )
        wrong.append(prediction.label != gold)
    return wrong
