"""Look at an answer while it is written."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache

from headwise.backbones import EncodedPair
from headwise.data.records.pairs import Pair
from headwise.data.records.words import word_ranges
from headwise.errors import InputError, TextError
from headwise.grounding.records import CheckedSentence, GroundedAnswer
from headwise.grounding.spans import DoubtedToken
from headwise.heads import ErrorReader
from headwise.quality.scorer import Scorer
from headwise.quality.token_signals import read_statistics

if TYPE_CHECKING:
    from headwise.grounding.detector import GroundingDetector


class AnswerStream:
    """An answer that is still written: push its pieces, get what is unsupported so far.

    Its last word may still grow, and a sentence is a claim once the next one has begun; until then
    nothing is said of them. What was said of a word may change a little when the next one is there.
    The language model reads context and answer once, where it can go on from what it remembers. The
    error head does not see the end of a text that is not there yet; its values differ a little from
    those of :meth:`GroundingDetector.ground`.

    Made by :meth:`GroundingDetector.stream`.

    Attributes:
        context: What the answer may say.
        text: The answer so far.

    Args:
        detector: What looks at the answer.
    """

    def __init__(self, detector: "GroundingDetector", context: str) -> None:
        self.context, self.text = context, ""
        self._detector = detector
        scorer = detector.scorer
        self._tokens = None if scorer is None else _TokenReader(scorer, context)
        self._known: dict[str, CheckedSentence] = {}
        self._finished = False

    def push(self, piece: str) -> GroundedAnswer:
        """Add some text, of any length, and look at what is complete.

        Args:
            piece: What was written since; may end anywhere.

        Raises:
            TextError: If it is no text, or cannot be read.
            ContextLengthError: If the answer became longer than the model's context.
            ValueError: If the answer is finished.
        """
        if self._finished:
            raise ValueError("The answer is finished; begin another one with `stream`.")
        if not isinstance(piece, str):
            raise TextError(f"A piece of an answer must be a text, got {type(piece).__name__}.")
        self.text += piece
        words = word_ranges(self.text)
        # What follows decides where the last word ends
        end = words[-2][1] if len(words) > 1 else 0
        return self._look(end, ended=False)

    def finish(self) -> GroundedAnswer:
        """Look at all of it, once nothing more will come.

        Raises:
            TextError: If nothing was written.
            ContextLengthError: As in :meth:`push`.
        """
        if not self.text.strip():
            raise TextError("The answer is empty; push some text before it is finished.")
        self._finished = True
        return self._look(len(self.text), ended=True)

    def _look(self, end: int, *, ended: bool) -> GroundedAnswer:
        read = self.text[:end]
        tokens: list[DoubtedToken] | None = None
        if self._tokens is not None:
            tokens = self._tokens.read(read, ended=ended) if read.strip() else []
        checked = self._detector.checked(self.context, self.text, self._known, goes_on=not ended)
        self._known = {one.text: one for one in checked or ()}
        return self._detector.found(
            Pair(self.context, self.text), tokens=tokens, checked=checked, checked_to=end
        )


@dataclass(slots=True)
class _TokenReader:
    """Reads the tokens of a text that grows with an error head, each once if the model can."""

    scorer: Scorer
    context: str
    _read: list[int] = field(default_factory=list)  # what the model has read: prompt, then text
    _judged: list[float] = field(default_factory=list)  # of the text's first tokens
    _pushed: int = 0  # of the text's tokens
    _cache: DynamicCache | None = None
    _reader: ErrorReader | None = None

    def read(self, text: str, *, ended: bool) -> list[DoubtedToken]:
        """The tokens of a text whose probabilities are known."""
        code = self._encoded(text)
        own = len(code.ranges)
        # The first token that closes a text is read, too, where there is an end
        count = min(own + 1, len(code.targets)) if ended else own
        given = code.input_ids[: code.first + count]
        if self._read != list(given[: len(self._read)]) or not self._goes_on(len(given)):
            self._forget()
        self._push(code, count)
        if ended:
            assert self._reader is not None
            self._take(self._reader.finish())
        places = zip(code.ranges, self._judged[:own], strict=False)
        return [DoubtedToken(a, b, value) for (a, b), value in places]

    def _encoded(self, text: str) -> EncodedPair:
        backbone, prompt = self.scorer.backbone, self.scorer.prompt
        (code,) = backbone.encode([(self.context, text)], prompt)
        if isinstance(code, InputError):
            raise code
        return code

    def _goes_on(self, tokens: int) -> bool:
        return not self._read or self.scorer.backbone.reads_step_by_step(tokens)

    def _forget(self) -> None:
        self._read, self._judged, self._pushed = [], [], 0
        self._cache = self._reader = None

    @torch.inference_mode()
    def _push(self, code: EncodedPair, count: int) -> None:
        if self._reader is None:
            head = self.scorer.needed.error
            assert head is not None
            self._reader = ErrorReader(head)
        new = code.targets[self._pushed : count]
        if not new:
            return
        hidden = self._hidden(code, count)[-len(new) :]
        targets = torch.tensor(new, device=hidden.device)
        rows = self.scorer.backbone.token_rows(targets)
        _, statistics = self.scorer.signals_alone(hidden, targets)
        layers = self.scorer.layers
        own = self.scorer.backbone.of_layers(hidden, layers, self._reader.head.layers)
        numbers: Tensor | None = None
        if self._reader.head.statistics:
            assert statistics is not None
            numbers = read_statistics(statistics)
        for i in range(len(new)):
            number = None if numbers is None else numbers[i : i + 1]
            self._take(self._reader.push(own[i : i + 1], rows[i : i + 1], number))
        self._pushed = count

    def _hidden(self, code: EncodedPair, count: int) -> Tensor:
        """Hidden states that predict the last of so many targets, of the scorer's layers."""
        backbone = self.scorer.backbone
        ids = code.input_ids[: code.first + count]
        if not backbone.reads_step_by_step(len(ids)):
            part = EncodedPair(ids, code.first, code.targets[:count], (), code.source_ids)
            self._read = list(ids)
            return backbone.target_hidden([part], layers=self.scorer.layers)
        if self._cache is None:
            self._cache = DynamicCache(config=backbone.model.config)
        new = torch.tensor([ids[len(self._read) :]], device=backbone.device)
        self._read = list(ids)
        hidden = backbone.hidden_states(
            new, layers=self.scorer.layers, past_key_values=self._cache, use_cache=True
        )
        return hidden[0]

    def _take(self, found: tuple[float, float] | None) -> None:
        if found is not None:
            self._judged.append(found[0])
