"""Prompt templates: data that is saved with a head and turns a pair into text.

A template says what comes before the hypothesis, how the hypothesis is embedded, and what closes
it. It renders to one string plus the character positions of its parts, so that nothing ever has
to be counted in tokens.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from headwise.backbones.prompts.chat_layout import around_answer, place_answer
from headwise.backbones.prompts.rendered import Rendered, check_unicode, names_in, prompt_end
from headwise.errors import PromptError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Source = str | tuple[Mapping[str, str], ...] | None
"""What stands before a hypothesis: a text, the messages of a conversation, or nothing."""
SourcePair = tuple[Source, str]
"""A source and a hypothesis."""

# A source that no template holds itself, and none escapes
_PROBE = "qzxvsource"
# What a pair and a tokeniser bring themselves
_OWN_NAMES = frozenset({"source", "hypothesis", "bos", "eos"})


class _Template(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    # The fields that may name variables, and the one of them that holds the hypothesis
    _texts: ClassVar[tuple[str, ...]] = ()
    _answer: ClassVar[str | None] = None

    variables: dict[str, str] = Field(default_factory=dict)

    def bind(self, **variables: str) -> "PromptTemplate":
        """A copy with other values for some variables, for instance ``target_language``."""
        unknown = sorted(set(variables) - self.fields())
        if unknown:
            raise PromptError(
                f"The prompt has no variable {', '.join(unknown)}; "
                f"it has {', '.join(sorted(self.fields())) or 'none'}."
            )
        return self.model_copy(update={"variables": {**self.variables, **variables}})  # type: ignore[return-value]

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
        if lacking := sorted(named - _OWN_NAMES - set(self.variables)):
            raise PromptError(
                f"The prompt needs a value for {', '.join(map(repr, lacking))}; give it with "
                f"--prompt-variable {lacking[0]}=VALUE (in Python, with `prompt_variables`)."
            )

    def resolved(self, tokenizer: "PreTrainedTokenizerBase") -> str:
        """The prompt as a model reads it, with ``{source}`` and ``{hypothesis}`` for the texts."""
        raise NotImplementedError

    def _fill(self, text: str, values: dict[str, str]) -> str:
        known = {**self.variables, **values}
        if lacking := [name for name in names_in(text) if name not in known]:
            raise PromptError(
                f"The prompt needs a value for {lacking[0]!r}; give it with `prompt_variables`."
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


class _DecoderTemplate(_Template):
    """A template that one decoder reads whole: prompt, hypothesis, and what closes it."""

    def render(
        self, tokenizer: "PreTrainedTokenizerBase", source: Source, hypothesis: str
    ) -> Rendered:
        """The whole text of a pair."""
        raise NotImplementedError

    def render_prompt(self, tokenizer: "PreTrainedTokenizerBase", source: Source) -> str:
        """What generation starts from: the text before a hypothesis, as `render` has it."""
        raise NotImplementedError

    def resolved(self, tokenizer: "PreTrainedTokenizerBase") -> str:
        """The prompt as a model reads it, with ``{source}`` and ``{hypothesis}`` for the texts."""
        source = "{source}" if self.has_source else None
        return self.render(tokenizer, source, "{hypothesis}").text


class TextTemplate(_DecoderTemplate):
    """A prompt of plain text and control tokens.

    Attributes:
        prompt: What stands before the completion; knows ``{source}``, ``{bos}``, ``{eos}``.
        completion: How the hypothesis follows; holds ``{hypothesis}`` once.
        end: What closes the completion; generation stops there.
    """

    _texts = ("prompt", "completion", "end")
    _answer = "completion"

    kind: Literal["text"] = "text"
    prompt: str
    completion: str = "{hypothesis}"
    end: str = ""

    def render_prompt(self, tokenizer: "PreTrainedTokenizerBase", source: Source) -> str:
        """What generation starts from: the text before a hypothesis, as `render` has it."""
        return self.render(tokenizer, source, "").prompt

    def render(
        self, tokenizer: "PreTrainedTokenizerBase", source: Source, hypothesis: str
    ) -> Rendered:
        """The whole text of a pair."""
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


class ChatPromptTemplate(_DecoderTemplate):
    """A conversation of one user and one assistant turn, laid out by the model's chat template.

    Attributes:
        user: The user's message; knows ``{source}``. Not used where there is a whole conversation.
        assistant: The assistant's message; holds ``{hypothesis}`` once.
        system: A system message, or ``None``.
    """

    _texts = ("user", "assistant", "system")
    _answer = "assistant"

    kind: Literal["chat"] = "chat"
    user: str
    assistant: str = "{hypothesis}"
    system: str | None = None

    def _turns(
        self, tokenizer: "PreTrainedTokenizerBase", source: Source
    ) -> tuple[list[Mapping[str, str]], str, str]:
        """The messages before the last one, and what that holds around the hypothesis.

        A conversation is laid out as it is: the template's own messages say how one source
        becomes a conversation, and here there is one.
        """
        if tokenizer.chat_template is None:
            raise PromptError(
                "The tokeniser has no chat template; give a prompt of kind 'text', or 'raw'."
            )
        if isinstance(source, tuple):
            return [*source], "", ""
        values = self._values(tokenizer, source)
        contents = {"system": self.system, "user": self.user}
        messages = [
            {"role": role, "content": self._fill(content, values)}
            for role, content in contents.items()
            if content is not None
        ]
        return [*messages], *self._around_hypothesis(values)

    def reaches(self, tokenizer: "PreTrainedTokenizerBase") -> bool:
        """Whether a tokeniser's chat template shows a source, if it can be asked with one."""
        if not self.has_source or tokenizer.chat_template is None:
            return True
        try:
            return _PROBE in self.render_prompt(tokenizer, _PROBE).lower()
        except PromptError:  # said where texts are laid out
            return True

    def render_prompt(self, tokenizer: "PreTrainedTokenizerBase", source: Source) -> str:
        """What generation starts from: the text before a hypothesis, as `render` has it."""
        messages, before, after = self._turns(tokenizer, source)
        opening, *_ = around_answer(tokenizer, messages, before, after)
        return opening[: prompt_end(opening, before)]

    def render(
        self, tokenizer: "PreTrainedTokenizerBase", source: Source, hypothesis: str
    ) -> Rendered:
        """The whole text of a pair, or of a conversation and the answer that ends it.

        Raises:
            ChatTemplateError: If the model's chat template refuses the conversation, or changes
                the answer by more than spaces at its ends.
            PromptBoundaryError: If it begins a finished answer otherwise than one to generate.
        """
        messages, before, after = self._turns(tokenizer, source)
        return place_answer(tokenizer, messages, hypothesis, before, after)


class SequenceTemplate(_Template):
    """What an encoder-decoder model reads; the hypothesis is what its decoder writes.

    Attributes:
        source_text: The encoder's text; knows ``{source}``.
        source_language: Language code for tokenisers that need one (NLLB, mBART); by default the
            tokeniser's own.
        target_language: Likewise for the hypothesis. Both may be bound as variables.
    """

    _texts = ("source_text",)

    kind: Literal["sequence"] = "sequence"
    source_text: str = "{source}"
    source_language: str | None = None
    target_language: str | None = None

    def bind(self, **variables: str) -> "PromptTemplate":
        """A copy with other values for some variables, or for the languages."""
        codes = {"source_language", "target_language"} - super().fields()
        languages = {name: code for name, code in variables.items() if name in codes}
        rest = {name: value for name, value in variables.items() if name not in codes}
        return super().bind(**rest).model_copy(update=languages)

    def fields(self) -> set[str]:
        """Names in braces, the pair's own ones left out, and the languages."""
        return super().fields() | {"source_language", "target_language"}

    def resolved(self, tokenizer: "PreTrainedTokenizerBase") -> str:
        """The encoder's text, with ``{source}`` for the source, and the languages."""
        text = self._fill(self.source_text, self._values(tokenizer, "{source}"))
        own = (getattr(tokenizer, name, None) for name in ("src_lang", "tgt_lang"))
        named = zip((self.source_language, self.target_language), own, strict=True)
        languages = [given or chosen for given, chosen in named]
        shown = " -> ".join(language or "?" for language in languages)
        return f"{text} ({shown})" if any(languages) else text

    def render_source(self, tokenizer: "PreTrainedTokenizerBase", source: Source) -> str:
        """The text that the encoder reads."""
        return self._fill(self.source_text, self._values(tokenizer, source))


PromptTemplate = Annotated[
    TextTemplate | ChatPromptTemplate | SequenceTemplate, Field(discriminator="kind")
]
