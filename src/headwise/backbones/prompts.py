"""Prompt templates: data that is saved with a head and turns a pair into text.

A template says what comes before the hypothesis, how the hypothesis is embedded, and what closes
it. It renders to one string plus the character positions of its parts, so that nothing ever has
to be counted in tokens of a prompt that was tokenised on its own.
"""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from transformers import PreTrainedTokenizerBase

from headwise.errors import PromptBoundaryError, PromptError

Source = str | tuple[Mapping[str, str], ...] | None
"""What stands before a hypothesis: a text, the messages of a conversation, or nothing."""
SourcePair = tuple[Source, str]
"""A source and a hypothesis."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A prompt and, unless it is for generation, the hypothesis after it.

    Attributes:
        text: The whole text.
        prompt_end: Where the scored part begins, in characters: at the hypothesis, or at the
            spaces that the template puts right before it.
        start: Where the hypothesis itself begins.
        end: Where it ends.
    """

    text: str
    prompt_end: int
    start: int
    end: int


class _Template(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    # The fields that may name variables
    _texts: ClassVar[tuple[str, ...]] = ()

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
        names = {
            name
            for text in self.texts()
            for _, name, _, _ in string.Formatter().parse(text)
            if name is not None
        }
        return names - {"source", "hypothesis", "bos", "eos"}

    @property
    def has_source(self) -> bool:
        """Whether the template shows a source."""
        return any("{source}" in text for text in self.texts())

    def _fill(self, text: str, values: dict[str, str]) -> str:
        try:
            return text.format(**{**self.variables, **values})
        except (KeyError, IndexError) as error:
            raise PromptError(
                f"The prompt needs a value for {error}; give it with `prompt_variables`."
            ) from None

    def _around_hypothesis(self, text: str, values: dict[str, str]) -> tuple[str, str]:
        before, found, after = text.partition("{hypothesis}")
        if not found:
            raise PromptError(f"The prompt must hold {{hypothesis}} once, got {text!r}.")
        return self._fill(before, values), self._fill(after, values)

    def _values(self, tokenizer: PreTrainedTokenizerBase, source: Source) -> dict[str, str]:
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


class TextTemplate(_Template):
    """A prompt of plain text and control tokens.

    Attributes:
        prompt: What stands before the completion; knows ``{source}``, ``{bos}``, ``{eos}``.
        completion: How the hypothesis follows; holds ``{hypothesis}`` once.
        end: What closes the completion.
    """

    _texts = ("prompt", "completion", "end")

    kind: Literal["text"] = "text"
    prompt: str
    completion: str = "{hypothesis}"
    end: str = ""

    def render_prompt(self, tokenizer: PreTrainedTokenizerBase, source: Source) -> str:
        """The text that generation starts from."""
        return self._fill(self.prompt, self._values(tokenizer, source))

    def render(
        self, tokenizer: PreTrainedTokenizerBase, source: Source, hypothesis: str
    ) -> Rendered:
        """The whole text of a pair."""
        values = self._values(tokenizer, source)
        prompt = self._fill(self.prompt, values)
        before, after = self._around_hypothesis(self.completion, values)
        start = len(prompt + before)
        return Rendered(
            prompt + before + hypothesis + after + self._fill(self.end, values),
            start - _trailing_spaces(before),
            start,
            start + len(hypothesis),
        )


class ChatPromptTemplate(_Template):
    """A conversation of one user and one assistant turn, laid out by the model's chat template.

    Attributes:
        user: The user's message; knows ``{source}``. Not used where there is a whole conversation.
        assistant: The assistant's message; holds ``{hypothesis}`` once.
        system: A system message, or ``None``.
    """

    _texts = ("user", "assistant", "system")

    kind: Literal["chat"] = "chat"
    user: str
    assistant: str = "{hypothesis}"
    system: str | None = None

    def _messages(self, tokenizer: PreTrainedTokenizerBase, source: Source) -> list[dict[str, str]]:
        if tokenizer.chat_template is None:
            raise PromptError(
                "The tokeniser has no chat template; give a prompt of kind 'text', or 'raw'."
            )
        if isinstance(source, tuple):
            return [dict(message) for message in source]
        values = self._values(tokenizer, source)
        system = [("system", self.system)] if self.system is not None else []
        return [
            {"role": role, "content": self._fill(content, values)}
            for role, content in [*system, ("user", self.user)]
        ]

    def render_prompt(self, tokenizer: PreTrainedTokenizerBase, source: Source) -> str:
        """The text that generation starts from."""
        return _apply(tokenizer, self._messages(tokenizer, source), generation=True)

    def render(
        self, tokenizer: PreTrainedTokenizerBase, source: Source, hypothesis: str
    ) -> Rendered:
        """The whole text of a pair, or of a conversation and the answer that ends it.

        A conversation is laid out as it is: the template's own messages say how one source
        becomes a conversation, and here there is one.
        """
        messages = self._messages(tokenizer, source)
        prompt = _apply(tokenizer, messages, generation=True)
        values = {} if isinstance(source, tuple) else self._values(tokenizer, source)
        whole = "{hypothesis}" if isinstance(source, tuple) else self.assistant
        before, after = self._around_hypothesis(whole, values)
        answer = before + hypothesis + after
        text = _apply(
            tokenizer, [*messages, {"role": "assistant", "content": answer}], generation=False
        )
        if not text.startswith(prompt):
            raise PromptBoundaryError(
                "The chat template's prompt is not a prefix of the whole conversation: it ends "
                f"in {prompt[-40:]!r} where the conversation has {text[: len(prompt)][-40:]!r}. "
                "Use a prompt of kind 'text' that spells out the layout."
            )
        start = text.find(answer, len(prompt))
        if start < 0:
            # Many templates strip messages; then spaces at their ends stand for nothing
            start = text.find(answer.strip(), len(prompt))
            if start < 0:
                raise PromptError(
                    "The chat template changes the hypothesis by more than the spaces at its ends; "
                    f"it became {text[len(prompt) :][:60]!r}."
                )
            start -= len(answer) - len(answer.lstrip())
            hypothesis = hypothesis.rstrip()
        start += len(before)
        end = start + len(hypothesis)
        return Rendered(text, max(len(prompt), start - _trailing_spaces(before)), start, end)


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

    def render_source(self, tokenizer: PreTrainedTokenizerBase, source: Source) -> str:
        """The text that the encoder reads."""
        return self._fill(self.source_text, self._values(tokenizer, source))


PromptTemplate = Annotated[
    TextTemplate | ChatPromptTemplate | SequenceTemplate, Field(discriminator="kind")
]
_ADAPTER: TypeAdapter[Any] = TypeAdapter(PromptTemplate)

NAMED_PROMPTS: dict[str, TextTemplate | ChatPromptTemplate | SequenceTemplate] = {
    # The prompt of the released Tower head: a full stop after the source, a space before the
    # hypothesis (model card of tuanh23/SigmoidHead-TowerInstruct-7B-v0.2)
    "tower": ChatPromptTemplate(
        user=(
            "Translate the following text from {source_language} into {target_language}.\n"
            "{source_language}: {source}.\n{target_language}: "
        ),
        assistant=" {hypothesis}",
        variables={"source_language": "English", "target_language": "German"},
    ),
    "tiny": TextTemplate(
        prompt="{bos} {source}<|target|>", completion=" {hypothesis}", end="{eos}"
    ),
    "chat": ChatPromptTemplate(user="{source}"),
    "raw": TextTemplate(prompt="{bos}"),
    "sequence": SequenceTemplate(),
}


def parse_prompt(prompt: str | dict[str, Any] | _Template) -> PromptTemplate:
    """A template from its name, its saved form, or itself.

    Raises:
        PromptError: If the name is unknown or the saved form is not a template's.
    """
    if isinstance(prompt, _Template):
        return prompt  # type: ignore[return-value]
    if isinstance(prompt, str):
        if prompt not in NAMED_PROMPTS:
            raise PromptError(
                f"There is no prompt named {prompt!r}; choose from {', '.join(NAMED_PROMPTS)}, "
                "or give a template."
            )
        return NAMED_PROMPTS[prompt]
    try:
        return _ADAPTER.validate_python(prompt)  # type: ignore[no-any-return]
    except ValidationError as error:
        raise PromptError(f"This is not a prompt template: {error}") from None


def _trailing_spaces(text: str) -> int:
    return len(text) - len(text.rstrip())


def _apply(
    tokenizer: PreTrainedTokenizerBase, messages: list[dict[str, str]], *, generation: bool
) -> str:
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=generation)
    assert isinstance(text, str)
    return text
