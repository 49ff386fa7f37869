"""Conversations as text: what a chat template puts around an answer, and where the answer is."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from jinja2 import TemplateError, TemplateSyntaxError

from headwise.backbones.prompts.decoder_templates import DecoderTemplate, Source
from headwise.backbones.prompts.rendered import Rendered, prompt_end
from headwise.errors import ChatTemplateError, PromptBoundaryError, PromptError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Messages = Sequence[Mapping[str, str]]

# What a template that expects other messages stumbles over
_STUMBLES = (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError)
_SHOWN = 60
# A source that no template holds itself, and none escapes
_PROBE = "qzxvsource"


def around_answer(
    tokenizer: "PreTrainedTokenizerBase", messages: Messages, before: str = "", after: str = ""
) -> tuple[str, str, str]:
    """What stands before and after an answer that ends a conversation, and before one to generate.

    A character that the conversation lacks stands for the answer, so that its place is known
    whatever the answer says. Reasoning blocks and the like that a template puts before a finished
    answer stand before it here, too.

    Args:
        tokenizer: Has the chat template.
        messages: What the answer answers to.
        before: What the last message holds before the answer.
        after: Likewise, after it.

    Raises:
        ChatTemplateError: If the template refuses the conversation or hides its answer.
        PromptBoundaryError: If it begins a finished answer otherwise than one to generate.
    """
    taken = before + after + "".join(str(value) for one in messages for value in one.values())
    marker = next(mark for mark in map(chr, range(0xE000, 0xF8FF)) if mark not in taken)
    text = _apply(tokenizer, [*messages, _answer(before + marker + after)])
    if text.count(marker) != 1:
        raise ChatTemplateError(
            f"The model's chat template shows an answer {text.count(marker)} times, instead of "
            "once; use a prompt of kind 'text' that spells out the layout."
        )
    opening, closing = text.split(marker)
    start = _apply(tokenizer, messages, generation=True)
    # One may go on with a reasoning block that the other lacks
    if not (opening.startswith(start.rstrip(" ")) or start.startswith(opening.rstrip())):
        shown = opening[max(0, len(start) - 40) : len(start)]
        raise PromptBoundaryError(
            "The chat template's prompt is not a prefix of the whole conversation: it ends "
            f"in {start[-40:]!r} where the conversation has {shown!r}. "
            "Use a prompt of kind 'text' that spells out the layout."
        )
    return opening, closing, start


def place_answer(
    tokenizer: "PreTrainedTokenizerBase",
    messages: Messages,
    answer: str,
    before: str = "",
    after: str = "",
) -> Rendered:
    """Lay out a conversation that an answer ends.

    Templates may strip an answer, or put a reasoning block of their own before one that brings
    none. An answer that is changed in another way is refused.

    Arguments are those of `around_answer`.

    Raises:
        ChatTemplateError: If the template refuses the conversation or changes the answer.
        PromptBoundaryError: As `around_answer`.
    """
    opening, closing, start = around_answer(tokenizer, messages, before, after)
    text = _apply(tokenizer, [*messages, _answer(before + answer + after)])
    # An answer that brings its own reasoning stands right where generation begins
    for begin in (opening, start + before):
        shown = text[len(begin) : len(text) - len(closing)]
        if (
            text.startswith(begin)
            and text.endswith(closing)
            and shown in answer
            and shown.strip() == answer.strip()
        ):
            # Of a stripped answer, where all of it would begin
            first = len(begin) - answer.index(shown)
            return Rendered(text, prompt_end(begin, before), first, len(begin) + len(shown))
    raise ChatTemplateError(
        "The chat template changes the hypothesis by more than the spaces at its ends; "
        f"{answer[:_SHOWN]!r} became {text[len(opening) :][:_SHOWN]!r}. Use a prompt of kind "
        "'text' that spells out the layout, or leave out what the template changes."
    )


def _answer(content: str) -> Mapping[str, str]:
    return {"role": "assistant", "content": content}


def _apply(
    tokenizer: "PreTrainedTokenizerBase", messages: Messages, *, generation: bool = False
) -> str:
    try:
        text = tokenizer.apply_chat_template(
            [dict(message) for message in messages],
            tokenize=False,
            add_generation_prompt=generation,
        )
        assert isinstance(text, str)
        text.encode("utf-8")
    except TemplateSyntaxError as error:
        raise PromptError(
            f"The model's chat template is damaged ({error}); use a prompt of kind 'text'."
        ) from error
    except _STUMBLES as error:
        raise ChatTemplateError(
            f"The model's chat template refuses this conversation: {error}. Give one that it "
            "allows, or use a prompt of kind 'text'."
        ) from error
    return text


class ChatPromptTemplate(DecoderTemplate):
    """A conversation of one user and one assistant turn, laid out by the model's chat template.

    Attributes:
        user: The user's message; knows ``{source}``. Not used where there is a whole conversation.
        assistant: The assistant's message; holds ``{hypothesis}`` once.
        system: A system message, or ``None``.
        kind: ``chat``, by which a saved template is known.
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
        """Whether a tokeniser's chat template shows a source, if it can be asked with one.

        Args:
            tokenizer: The model's tokeniser.
        """
        if not self.has_source or tokenizer.chat_template is None:
            return True
        try:
            return _PROBE in self.render_prompt(tokenizer, _PROBE).lower()
        except PromptError:  # said where texts are laid out
            return True

    def render_prompt(self, tokenizer: "PreTrainedTokenizerBase", source: Source) -> str:
        """What generation starts from: the text before a hypothesis, as `render` has it.

        Args:
            tokenizer: The model's tokeniser, with its chat template.
            source: The user's text, or the messages of a conversation.
        """
        messages, before, after = self._turns(tokenizer, source)
        opening, *_ = around_answer(tokenizer, messages, before, after)
        return opening[: prompt_end(opening, before)]

    def render(
        self, tokenizer: "PreTrainedTokenizerBase", source: Source, hypothesis: str
    ) -> Rendered:
        """The whole text of a pair, or of a conversation and the answer that ends it.

        Args:
            tokenizer: The model's tokeniser, with its chat template.
            source: The user's text, or the messages of a conversation.
            hypothesis: The assistant's answer.

        Raises:
            ChatTemplateError: If the model's chat template refuses the conversation, or changes
                the answer by more than spaces at its ends.
            PromptBoundaryError: If it begins a finished answer otherwise than one to generate.
        """
        messages, before, after = self._turns(tokenizer, source)
        return place_answer(tokenizer, messages, hypothesis, before, after)
