"""What the loss of a Sigmoid Head depends on: the weights, and how negatives are drawn."""

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, PlainSerializer, PlainValidator
from pydantic.dataclasses import dataclass as validated

from headwise.choices import SELECTOR_NAMES, Shown
from headwise.training.loop.settings import STRICT


def _selector(value: Any) -> Any:
    """A dominant-token selector, from its text if it is one."""
    if isinstance(value, str) and value.partition(":")[0].strip() not in SELECTOR_NAMES:
        raise ValueError(f"must be one of {', '.join(SELECTOR_NAMES)}")

    from headwise.training.sigmoid.selectors import SELECTORS, parse_selector

    if isinstance(value, str):
        return parse_selector(value)
    if value is None or isinstance(value, tuple(SELECTORS.values())):
        return value
    raise ValueError(f"must be one of {', '.join(SELECTORS)} or None")


def _selector_text(selector: Any) -> str:
    from headwise.training.sigmoid.selectors import format_selector

    return format_selector(selector)


def _largest_drop() -> "Selector":
    from headwise.functional import LargestDrop

    return LargestDrop()


if TYPE_CHECKING:
    from headwise.functional import DominantSelector

    Selector = DominantSelector | None
else:
    # The selectors stand among tensor operations, and help must not wait for PyTorch
    Selector = Annotated[Any, PlainValidator(_selector), PlainSerializer(_selector_text)]

_Weight = Annotated[float, Field(ge=0)]
# The defaults of the method; those of a run depend on the model
_BY_MODEL = Shown(default="by model")


class Combination(StrEnum):
    """How several distributions become the one that negatives are drawn from.

    Attributes:
        INDEPENDENT: Each gives its share of the negatives on its own.
        ADD: Their weighted sum.
        MULTIPLY: Their product; a token that one of them never gives is never drawn.
    """

    INDEPENDENT = "independent"
    ADD = "add"
    MULTIPLY = "multiply"


@validated(frozen=True, slots=True, config=STRICT)
class NegativeSampling:
    """How negatives are drawn, without replacement and never from the tokens to be avoided.

    A product of distributions takes them as they are, whatever their shares. ``candidates`` is how
    many of the most probable tokens the softmax is cut to; ``None`` stands for the whole
    vocabulary, which costs its logits at every step.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680, section 3 (negative sampling).
    """

    per_position: Annotated[
        int, Field(ge=1, description="Negatives a position."), Shown(name="negatives")
    ] = 10
    frequency: Annotated[
        _Weight,
        Field(description="Share of negatives by frequency in the training text."),
        _BY_MODEL,
    ] = 0.5
    softmax: Annotated[
        _Weight, Field(description="Share of negatives from the model's softmax.")
    ] = 0.5
    uniform: Annotated[_Weight, Field(description="Share of uniform negatives."), _BY_MODEL] = 0.0
    combination: Annotated[
        Combination, Field(description="How these distributions are put together.")
    ] = Combination.INDEPENDENT
    temperature: Annotated[
        float,
        Field(
            gt=0,
            description="Of the softmax that draws negatives; above 1 it reaches further down.",
        ),
    ] = 2.0
    candidates: Annotated[int | None, Field(ge=1), Shown(hidden=True)] = 128

    def __post_init__(self) -> None:
        if not self.frequency + self.softmax + self.uniform > 0.0:
            raise ValueError("One of `frequency`, `softmax` and `uniform` must be positive.")

    def counts(self) -> tuple[int, int, int]:
        """Negatives by frequency, softmax and uniform distribution, if they are independent."""
        shares = (self.frequency, self.softmax, self.uniform)
        ends = [round(self.per_position * sum(shares[: i + 1]) / sum(shares)) for i in range(3)]
        return ends[0], ends[1] - ends[0], ends[2] - ends[1]


@validated(frozen=True, slots=True, config=STRICT)
class Objective:
    """The loss of a quality head; ``negatives`` are ``None`` where all tokens are negatives.

    A target that a person marked as wrong is a negative, alone at its position. The ranking loss
    wants the target above the dominant tokens.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680, section 3 (training objective).
    """

    negatives: NegativeSampling | None = NegativeSampling()
    avoid: Annotated[
        Selector,
        Field(
            description="Tokens that are never negatives: largest-drop, epsilon-cut, eta-cut, "
            "top-k, top-p, min-p (with numbers: top-k:k=5), or none."
        ),
        _BY_MODEL,
    ] = field(default_factory=_largest_drop)
    positive_weight: Annotated[
        Annotated[float, Field(gt=0)] | Literal["balance"],
        Field(
            description="Weight of a target against one negative, or balance: as much as all "
            "negatives of its position together."
        ),
        _BY_MODEL,
    ] = 1.0
    error_weight: Annotated[
        _Weight, Field(description="Weight of a token that a person marked as wrong.")
    ] = 10.0
    margin_weight: Annotated[_Weight, Field(description="Weight of the ranking loss.")] = 0.0
    margin: Annotated[_Weight, Field(description="Its margin, in logits.")] = 1.0

    def top_tokens(self, vocabulary_size: int) -> int:
        """How many of the most probable tokens a position must come with.

        Args:
            vocabulary_size: V.
        """
        from headwise.functional.dominant_tokens import candidate_count

        wanted = [1]
        if self.negatives is not None and self.negatives.softmax:
            wanted.append(self.negatives.candidates or 1)
        if self.avoid is not None:
            wanted.append(candidate_count(self.avoid, vocabulary_size))
        return min(max(wanted), vocabulary_size)
