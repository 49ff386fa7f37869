"""Prompts that take variables from rows: one for each row; pairs of one are read together."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headwise.backbones.encodings import EncodedPair
from headwise.backbones.prompts.templates import PromptTemplate, SourcePair
from headwise.errors import InputError, PromptError, PromptVariableError

if TYPE_CHECKING:
    from headwise.backbones.base import LanguageBackbone

Row = Mapping[str, Any]
"""The columns of a row beside its texts."""


def encode_rows(
    backbone: "LanguageBackbone",
    pairs: Sequence[SourcePair],
    rows: Sequence[Row] | None,
    prompt: PromptTemplate,
    **limits: Any,
) -> list[EncodedPair | InputError]:
    """Tokenise pairs whose prompts differ, as ``backbone.encode`` does."""
    results: list[EncodedPair | InputError | None] = [None] * len(pairs)
    places: dict[str, list[int]] = {}
    prompts: dict[str, PromptTemplate] = {}
    for place, row in enumerate(rows or [{}] * len(pairs)):
        try:
            known = prompt_of_row(backbone, prompt, row, checked=prompts)
            places.setdefault(known, []).append(place)
        except InputError as error:
            results[place] = error
    for known, group in places.items():
        codes = backbone.encode([pairs[place] for place in group], prompts[known], **limits)
        for place, code in zip(group, codes, strict=True):
            results[place] = code
    return [result for result in results if result is not None]


def prompt_of_row(
    backbone: "LanguageBackbone",
    prompt: PromptTemplate,
    row: Row,
    *,
    checked: dict[str, PromptTemplate],
) -> str:
    """Put the prompt of a row among those that were checked, and give its key there.

    Raises:
        InputError: If the row does not have what the prompt needs, or has what it must not.
    """
    key = repr([row.get(column) for column in prompt.columns.values()])
    if key not in checked:
        own = prompt.for_row(row)
        for name in prompt.columns.keys() & own.variables.keys():
            backbone.check_text(own.variables[name], what=f"prompt variable {name!r}")
        try:
            backbone.check_prompt(own)
        except PromptError as error:  # of this row alone
            raise PromptVariableError(str(error)) from error
        checked[key] = own
    return key
