"""Records of a premise, a hypothesis, and what people say that the one is to the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

from headwise.choices import NLI_LABELS, NLILabel

_WITHOUT_CONSENSUS = frozenset({"-", "-1"})
_NAMES = {
    **{label.value: label for label in NLI_LABELS},
    **{label.value[0]: label for label in NLI_LABELS},
    **{str(index): label for index, label in enumerate(NLI_LABELS)},
}


@dataclass(frozen=True, slots=True)
class InferencePair:
    """A premise, taken to be true, and a hypothesis that may follow from it.

    Attributes:
        label: What annotators agreed on; ``None`` if they did not, or nobody said.
        line: Where it stood in its file, counted from 1; 0 if it came from no file.
    """

    premise: str
    hypothesis: str
    label: NLILabel | None = None
    line: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, str]:
        """Premise and hypothesis."""
        return self.premise, self.hypothesis

    @property
    def content(self) -> str:
        """Both of them, as a reject shows them."""
        return f"{self.premise}\t{self.hypothesis}"


def parse_label(value: object) -> NLILabel | None:
    """Read a label as SNLI, MultiNLI and ANLI write it; ``None`` where annotators did not agree.

    Args:
        value: ``entailment``, ``neutral``, ``contradiction`` or their first letters, in any case;
            0, 1, 2 in that order, as numbers of any type or texts; ``-`` or -1 where annotators
            did not agree.

    Raises:
        ValueError: If it is none of these.

    References:
        Bowman et al. 2015, arXiv 1508.05326, section 2 (gold labels and ``-``); Nie et al. 2020,
        arXiv 1910.14599 (letters).
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a column of numbers in which one is missing is read as floats
    if isinstance(value, bool) or not isinstance(value, (str, Integral)):
        name = None
    else:
        name = str(value).strip().casefold()
    if name in _WITHOUT_CONSENSUS:
        return None
    if name not in _NAMES:
        raise ValueError(
            f"A label must be one of {', '.join(_NAMES)}, or - or -1 where annotators did not "
            f"agree; got {value!r}."
        )
    return _NAMES[name]
