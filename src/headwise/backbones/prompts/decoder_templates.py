"""Prompt templates that one decoder reads whole, and what they have in common with the other kind.

A template says what comes before the hypothesis, how the hypothesis is embedded, and what closes
it. It renders to one string plus the character positions of its parts, so that nothing ever has
to be counted in tokens.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from headwise.backbones.prompts.rendered import Rendered, check_unicode, names_in, prompt_end
from headwise.backbones.prompts.row_values import row_value
from headwise.errors import PromptError, PromptVariableError
from headwise.languages import LANGUAGE_VARIABLES, language_name

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from headwise.backbones.prompts.templates import PromptTemplate

Source = str | tuple[Mapping[str, str], ...] | None
"""What stands before a hypothesis: a text, the messages of a conversation, or nothing."""
SourcePair = tuple[Source, str]
"""A source and a hypothesis."""

# What a pair and a tokeniser bring themselves
_OWN_NAMES = frozenset({"source", "hypothesis", "bos", "eos"})


class BaseTemplate(BaseModel):
    """A layout of a pair with variables.

    Attributes:
        variables: Values of variables by name.
        columns: From which column of each row a variable takes its value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    # The fields that may name variables, and the one of them that holds the hypothesis
    _texts: ClassVar[tuple[str, ...]] = ()
    _answer: ClassVar[str | None] = None
    # Whether languages stand in its texts, by their names
    _speaks_of_languages: ClassVar[bool] = True

    variables: dict[str, str] = Field(default_factory=dict)
    columns: dict[str, str] = Field(default_factory=dict)

    @model_serializer(mode="wrap")
    def _without_nothing(self, rest: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """As it was saved before there were columns, if there are none."""
        saved: dict[str, Any] = rest(self)
        return saved if self.columns else {k: v for k, v in saved.items() if k != "columns"}

    def bind(self, **variables: str) -> "PromptTemplate":
        """A copy with other values for some variables, for instance ``target_language``.

        ``source_language`` and ``target_language`` may be codes (``de``, ``de_DE``), which stand
        for the English name.

        Args:
            variables: New values by the name of the variable.
        """
        self._check_names(variables)
        named = {
            name: (language_name(value) or value) if name in LANGUAGE_VARIABLES else value
            for name, value in variables.items()
        }
        return self._with_values(named)

    def bind_columns(self, **columns: str) -> "PromptTemplate":
        """A copy that takes some variables from columns of each row, by their names.

        Args:
            columns: Names of columns by the name of the variable.
        """
        self._check_names(columns)
        return self.model_copy(update={"columns": {**self.columns, **columns}})  # type: ignore[return-value]

    def bind_row_languages(self, tokenizer: "PreTrainedTokenizerBase") -> "PromptTemplate":  # noqa: ARG002
        """A copy that takes the languages that it speaks of from columns called as they are.

        Args:
            tokenizer: The model's tokeniser, which may have codes of languages.
        """
        return self.bind_columns(**{name: name for name in self.fields() & LANGUAGE_VARIABLES})

    def for_row(self, row: Mapping[str, Any]) -> "PromptTemplate":
        """The template with what the columns of a row hold; itself if it takes nothing from them.

        Args:
            row: The columns of a row.

        Raises:
            PromptVariableError: If a column or its value is missing, or it names no language.
        """
        if not self.columns:
            return self  # type: ignore[return-value]
        values = {name: row_value(row, name, column) for name, column in self.columns.items()}
        for name, value in values.items():
            is_language = self._speaks_of_languages and name in LANGUAGE_VARIABLES
            if is_language and language_name(value) is None:
                raise PromptVariableError(
                    f"`{self.columns[name]}` is {value!r}, which is no language that is known by "
                    "a code (de, de_DE, deu_Latn) or an English name (German)."
                )
        return self.bind(**values)

    def _check_names(self, given: Mapping[str, str]) -> None:
        if unknown := sorted(set(given) - self.fields()):
            raise PromptError(
                f"The prompt has no variable {', '.join(unknown)}; "
                f"it has {', '.join(sorted(self.fields())) or 'none'}."
            )

    def _with_values(self, values: Mapping[str, str]) -> "PromptTemplate":
        """A copy with these values, which no column gives any more."""
        left = {name: column for name, column in self.columns.items() if name not in values}
        update = {"variables": {**self.variables, **values}, "columns": left}
        return self.model_copy(update=update)  # type: ignore[return-value]

    def _shown(self) -> "PromptTemplate":
        """A copy to show: ``{column}`` stands for what a row has there."""
        return self._with_values({name: f"{{{column}}}" for name, column in self.columns.items()})

    def texts(self) -> tuple[str, ...]:
        """The strings that may name variables."""
        return tuple(getattr(self, name) or "" for name in self._texts)

    def fields(self) -> set[str]:
        """Names in braces, the pair's own ones left out."""
        return {name for text in self.texts() for name in names_in(text)} - _OWN_NAMES

    @property
    def has_source(self) -> bool:
        """Whether the template shows a source."""
        return any("source" in names_in(text) for text in self.texts())

    def check(self) -> None:
        """Refuse a template that no pair can be laid out with.

        Raises:
            PromptError: If braces are unbalanced or hold more than a name, a variable has no
                value, the hypothesis has no place or several, or a text is no valid Unicode.
        """
        for name in self._texts:
            text = getattr(self, name) or ""
            count = names_in(text).count("hypothesis")
            if count != (name == self._answer):
                wanted = "once" if name == self._answer else "in no other field than its own"
                raise PromptError(f"The prompt must hold {{hypothesis}} {wanted}, got {text!r}.")
        for text in (*self.texts(), *self.variables.values()):
            check_unicode(text)
        named = {name for text in self.texts() for name in names_in(text)}
        if lacking := sorted(named - _OWN_NAMES - set(self.variables) - set(self.columns)):
            raise PromptError(
                f"The prompt needs a value for {', '.join(map(repr, lacking))}; give it with "
                f"--prompt-variable {lacking[0]}=VALUE, or --prompt-column {lacking[0]}=COLUMN if "
                "each row has its own (in Python, `prompt_variables` and `prompt_columns`)."
            )

    @abstractmethod
    def resolved(self, tokenizer: "PreTrainedTokenizerBase") -> str:
        """The prompt as a model reads it, with ``{source}`` and ``{hypothesis}`` for the texts.

        Args:
            tokenizer: The model's tokeniser.
        """

    def _fill(self, text: str, values: dict[str, str]) -> str:
        known = {**self.variables, **values}
        for name in self.columns:  # read before a row is laid out
            known.pop(name, None)
        if lacking := [name for name in names_in(text) if name not in known]:
            raise PromptError(
                f"The prompt needs a value for {lacking[0]!r}; give it with `prompt_variables`, or "
                "give the row that has it."
            )
        return text.format(**known)

    def _around_hypothesis(self, values: dict[str, str]) -> tuple[str, str]:
        text = str(getattr(self, self._answer or ""))
        before, found, after = text.partition("{hypothesis}")
        if not found:
            raise PromptError(f"The prompt must hold {{hypothesis}} once, got {text!r}.")
        return self._fill(before, values), self._fill(after, values)

    def _values(self, tokenizer: "PreTrainedTokenizerBase", source: Source) -> dict[str, str]:
        if isinstance(source, tuple) and [message["role"] for message in source] == ["user"]:
            source = source[0]["content"]  # one question alone is a source
        if isinstance(source, tuple):
            raise PromptError(
                "A conversation needs a prompt of kind 'chat'; give the prompt 'chat', or pairs "
                "of a source and a hypothesis."
            )
        if self.has_source and source is None:
            raise PromptError(
                "This prompt shows a source and got none; give one, or use the prompt 'raw'."
            )
        # A tokeniser without a start token lets text begin after the end of another one
        eos = tokenizer.eos_token or ""
        return {"source": source or "", "bos": tokenizer.bos_token or eos, "eos": eos}


class DecoderTemplate(BaseTemplate):
    """A template that one decoder reads whole: prompt, hypothesis, and what closes it."""

    @abstractmethod
    def render(
        self, tokenizer: "PreTrainedTokenizerBase", source: Source, hypothesis: str
    ) -> Rendered:
        """The whole text of a pair.

        Args:
            tokenizer: The model's tokeniser.
            source: What the hypothesis answers to; ``None`` for text on its own.
            hypothesis: The text to score.
        """

    @abstractmethod
    def render_prompt(self, tokenizer: "PreTrainedTokenizerBase", source: Source) -> str:
        """What generation starts from: the text before a hypothesis, as `render` has it.

        Args:
            tokenizer: The model's tokeniser.
            source: What is answered or translated.
        """

    def resolved(self, tokenizer: "PreTrainedTokenizerBase") -> str:
        """The prompt as a model reads it, with ``{source}`` and ``{hypothesis}`` for the texts."""
        source = "{source}" if self.has_source else None
        shown = self._shown()
        assert isinstance(shown, DecoderTemplate)
        return shown.render(tokenizer, source, "{hypothesis}").text


class TextTemplate(DecoderTemplate):
    """A prompt of plain text and control tokens.

    Attributes:
        prompt: What stands before the completion; knows ``{source}``, ``{bos}``, ``{eos}``.
        completion: How the hypothesis follows; holds ``{hypothesis}`` once.
        end: What closes the completion; generation stops there.
        kind: ``text``, by which a saved template is known.
    """

    _texts = ("prompt", "completion", "end")
    _answer = "completion"

    kind: Literal["text"] = "text"
    prompt: str
    completion: str = "{hypothesis}"
    end: str = ""

    def render_prompt(self, tokenizer: "PreTrainedTokenizerBase", source: Source) -> str:
        """What generation starts from: the text before a hypothesis, as `render` has it.

        Args:
            tokenizer: The model's tokeniser, which knows its control tokens.
            source: The source text; ``None`` for text on its own.
        """
        return self.render(tokenizer, source, "").prompt

    def render(
        self, tokenizer: "PreTrainedTokenizerBase", source: Source, hypothesis: str
    ) -> Rendered:
        """The whole text of a pair.

        Args:
            tokenizer: The model's tokeniser, which knows its control tokens.
            source: The source text; ``None`` for text on its own.
            hypothesis: The text that follows the prompt.
        """
        values = self._values(tokenizer, source)
        before, after = self._around_hypothesis(values)
        opening = self._fill(self.prompt, values) + before
        closing = after + self._fill(self.end, values)
        start = len(opening)
        return Rendered(
            opening + hypothesis + closing,
            prompt_end(opening, before),
            start,
            start + len(hypothesis),
        )
