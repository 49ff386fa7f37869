"""Prompt templates: data that is saved with a head and turns a pair into text."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from headwise.backbones.prompts.chat_layout import ChatPromptTemplate
from headwise.backbones.prompts.decoder_templates import (
    BaseTemplate,
    Source,
    SourcePair,
    TextTemplate,
)
from headwise.languages import LANGUAGE_VARIABLES

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = [
    "ChatPromptTemplate",
    "PromptTemplate",
    "SequenceTemplate",
    "Source",
    "SourcePair",
    "TextTemplate",
]


class SequenceTemplate(BaseTemplate):
    """What an encoder-decoder model reads; the hypothesis is what its decoder writes.

    Attributes:
        source_text: The encoder's text; knows ``{source}``.
        source_language: Language code for tokenisers that need one (NLLB, mBART); by default the
            tokeniser's own.
        target_language: Likewise for the hypothesis. Both may be bound as variables.
        kind: ``sequence``, by which a saved template is known.
    """

    _texts = ("source_text",)
    # Codes are the tokeniser's, which the backbone knows
    _speaks_of_languages = False

    kind: Literal["sequence"] = "sequence"
    source_text: str = "{source}"
    source_language: str | None = None
    target_language: str | None = None

    def _with_values(self, values: Mapping[str, str]) -> "PromptTemplate":
        codes = LANGUAGE_VARIABLES - super().fields()
        languages = {name: code for name, code in values.items() if name in codes}
        rest = {name: value for name, value in values.items() if name not in codes}
        left = {name: column for name, column in self.columns.items() if name not in values}
        copy = super()._with_values(rest)
        return copy.model_copy(update={**languages, "columns": left})

    def bind(self, **variables: str) -> "PromptTemplate":
        """A copy with other values for some variables, or for the languages.

        Args:
            variables: New values by the name of the variable.
        """
        self._check_names(variables)
        return self._with_values(variables)

    def bind_row_languages(self, tokenizer: "PreTrainedTokenizerBase") -> "PromptTemplate":
        """A copy that takes from columns the languages that it, or the tokeniser, speaks of.

        Args:
            tokenizer: The model's tokeniser, which may have codes of languages.
        """
        if hasattr(tokenizer, "set_tgt_lang_special_tokens"):
            return super().bind_row_languages(tokenizer)
        spoken = super().fields() & LANGUAGE_VARIABLES
        return self.bind_columns(**{name: name for name in spoken})

    def fields(self) -> set[str]:
        """Names in braces, the pair's own ones left out, and the languages."""
        return super().fields() | LANGUAGE_VARIABLES

    def resolved(self, tokenizer: "PreTrainedTokenizerBase") -> str:
        """The encoder's text, with ``{source}`` for the source, and the languages.

        Args:
            tokenizer: The model's tokeniser.
        """
        shown = self._shown()
        assert isinstance(shown, SequenceTemplate)
        text = shown.render_source(tokenizer, "{source}")
        own = (getattr(tokenizer, name, None) for name in ("src_lang", "tgt_lang"))
        named = zip((shown.source_language, shown.target_language), own, strict=True)
        languages = [given or chosen for given, chosen in named]
        spoken = " -> ".join(language or "?" for language in languages)
        return f"{text} ({spoken})" if any(languages) else text

    def render_source(self, tokenizer: "PreTrainedTokenizerBase", source: Source) -> str:
        """The text that the encoder reads.

        Args:
            tokenizer: The model's tokeniser.
            source: The source text.
        """
        return self._fill(self.source_text, self._values(tokenizer, source))


PromptTemplate = Annotated[
    TextTemplate | ChatPromptTemplate | SequenceTemplate, Field(discriminator="kind")
]
"""A template of any kind; ``kind`` says which one a saved template is."""
