"""What scores: a language model, its heads, a prompt and a request, put together once."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from headwise.backbones import EncodedPair, LanguageBackbone, PromptTemplate, weights_digest
from headwise.backbones.encodings import PlacedToken, own_texts
from headwise.backbones.side_by_side import batches_at_once
from headwise.choices import ONLY_LAST
from headwise.data.jobs import timed_windows
from headwise.data.readers.nested_rows import as_pair
from headwise.data.records.pairs import Pair, Pairlike
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Aggregation, Signal
from headwise.errors import InputError
from headwise.functional import LargestDrop, VocabularyStatistics, vocabulary_statistics
from headwise.progress import progress_bar
from headwise.quality.calibration.record import Calibration
from headwise.quality.common_batches import ToScore, scored_batches
from headwise.quality.ranking import best_first
from headwise.quality.signal_request import QualityHeads, SignalRequest
from headwise.quality.token_signals import TokenSignals, alternatives, error_signals
from headwise.quality.unlike_texts import UnlikeTexts
from headwise.said_once import warn_once

# Measured: small batches keep a CPU's caches warm, an accelerator wants work in bulk
_BATCH_TOKENS_CPU, _BATCH_TOKENS_ACCELERATOR = 1024, 32768
# Of the workspace, for each token of the vocabulary: a batch works on a few positions at least
_POSITIONS_BYTES = 256
# Candidates that share a prompt's keys and values at a time, which are copied for each of them
_RERANKED_TOGETHER = 32


def default_batch_tokens(backbone: LanguageBackbone) -> int:
    """Padded tokens a batch that suit the device of a model."""
    return _BATCH_TOKENS_CPU if backbone.device.type == "cpu" else _BATCH_TOKENS_ACCELERATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """Scores pairs with one prompt and one request, which nothing changes any more.

    Attributes:
        backbone: The frozen language model. Its output layer runs only if a signal, the error
            head or alternatives need it; of its layers, those up to the highest one that is read.
        heads: Its heads; one may be missing whose signals are not asked for.
        batch_tokens: Bound on the padded tokens of a batch.
        needed: The heads that have to run.
        runs_vocabulary: Whether the output layer has to run.
        layers: Layers whose hidden states are read, from the lowest to the last: `layer_numbers`.
    """

    backbone: LanguageBackbone
    heads: QualityHeads
    prompt: PromptTemplate
    request: SignalRequest
    batch_tokens: int
    needed: QualityHeads = field(init=False)
    runs_vocabulary: bool = field(init=False)
    layers: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        heads, request = self.heads, self.request
        object.__setattr__(self, "needed", heads.needed(request))
        object.__setattr__(self, "runs_vocabulary", heads.run_vocabulary(request))
        object.__setattr__(self, "layers", heads.layers(request, self.backbone))

    def content(self) -> dict[str, Any]:
        """What scores follow from, as plain values: the parts that this request needs.

        A mapping names them in words; texts are whole, weights are digests. How pairs are put
        into batches, and where they are scored, does not matter.
        """
        request = self.request
        needed = {"Sigmoid Head": self.needed.sigmoid, "error head": self.needed.error}
        read = {f"layers of the {n}": h.layers for n, h in needed.items() if h is not None}
        return {
            **self.backbone.content(),
            "prompt": self.prompt.model_dump(),
            **{n: None if head is None else weights_digest(head) for n, head in needed.items()},
            # Heads that read the last layer alone have been known without it
            **{n: list(layers) for n, layers in read.items() if layers != ONLY_LAST},
            "calibration": None if request.quality is None else request.quality.fingerprint,
        }

    @property
    def calibration(self) -> Calibration | None:
        """The calibration of its heads, whether a signal is made with it or not."""
        return self.request.calibration

    @property
    def most_pairs(self) -> int:
        """As many pairs as a batch has tokens: enough of them are of similar length."""
        return self.batch_tokens

    def score_many(
        self,
        pairs: Iterable[Pairlike],
        *,
        raising: bool = True,
        warning: bool = True,
        progress: bool = False,
    ) -> Iterator[ScoredHypothesis | InputError]:
        """Score a stream of pairs in bounded memory: one result a pair, in input order.

        Pairs are read as needed. Without ``raising``, an error is yielded in the place of its pair;
        without ``warning``, nothing is said of texts that the calibration does not know.
        """
        total = len(pairs) if isinstance(pairs, Sequence) else None
        unlike = UnlikeTexts(self.calibration if warning else None)
        windows = timed_windows(
            map(_pair_or_error, pairs),
            most=self.most_pairs,
            size=lambda pair: 0 if isinstance(pair, InputError) else len(pair.content),
        )
        with progress_bar("Scoring", total=total, enabled=progress) as advance:
            for window in windows:
                good = [pair for pair in window if isinstance(pair, Pair)]
                found = iter(self.score_window(good, advance))
                for pair in window:
                    result = pair if isinstance(pair, InputError) else next(found)
                    if raising and isinstance(result, InputError):
                        raise result
                    if isinstance(result, ScoredHypothesis):
                        unlike.add(result.source, result.hypothesis)
                    yield result
        if (said := unlike.warning) is not None:
            warn_once(logging.getLogger(__name__), said)

    def score_window(
        self, pairs: Sequence[Pair], advance: Callable[[int], None] = lambda _: None
    ) -> list[ScoredHypothesis | InputError]:
        """Score pairs together, in batches of similar length; one result a pair, in order.

        An error stands in the place of a pair that cannot be scored. ``advance`` is told how many
        pairs were done since it was last called.
        """
        encoded = self.encode(pairs)
        good = [code for code in encoded if isinstance(code, EncodedPair)]
        advance(len(pairs) - len(good))
        items = [
            ToScore(self, pair, code)
            for pair, code in zip(pairs, encoded, strict=True)
            if isinstance(code, EncodedPair)
        ]
        scored: dict[int, ScoredHypothesis] = {}
        for places, batch in scored_batches(items):
            scored |= dict(zip(places, batch, strict=True))
            advance(len(places))
        found = map(scored.__getitem__, range(len(items)))
        return [code if isinstance(code, InputError) else next(found) for code in encoded]

    def batches_at_once(self) -> int:
        """How many batches are scored side by side; each has its share of the workspace."""
        if not self.runs_vocabulary:
            return batches_at_once(self.backbone)
        unembedding = self.backbone.unembedding  # compared once, before batches need it
        room = _POSITIONS_BYTES * unembedding.vocabulary_size
        return batches_at_once(self.backbone, most=self.request.workspace_bytes // room)

    def encode(self, pairs: Sequence[Pair]) -> list[EncodedPair | InputError]:
        """Tokenise pairs; an error stands in the place of a pair that cannot be scored."""
        texts = [(pair.given, pair.hypothesis) for pair in pairs]
        return self.backbone.encode(texts, self.prompt, rows=[pair.extra for pair in pairs])

    def asking(self, **wishes: Any) -> "Scorer":
        """The same with other wishes: fields of its `SignalRequest`."""
        return replace(self, request=replace(self.request, **wishes))

    def rerank(
        self, pairs: Sequence[Pair], *, by: Aggregation | str | None = None
    ) -> list[ScoredHypothesis]:
        """Score pairs that share their prompt, which is read once, and sort them: `best_first`.

        Without ``by``, what the calibration chose decides if ``quality`` is the main signal.

        Raises:
            InputError: If a pair cannot be scored.
            ValueError: If ``by`` is not defined for the main signal.
        """
        scorer = self.asking(ranks=by is None and self.request.signals[0] is Signal.QUALITY)
        encoded = []
        for code in self.encode(pairs):
            if isinstance(code, InputError):
                raise code
            encoded.append(code)
        scored: list[ScoredHypothesis] = []
        for start in range(0, len(pairs), _RERANKED_TOGETHER):
            part = slice(start, start + _RERANKED_TOGETHER)
            with torch.inference_mode():
                hidden = self.backbone.shared_prompt_hidden(encoded[part], layers=scorer.layers)
                scored += scorer.score_hidden(pairs[part], encoded[part], hidden)
        return best_first(scored, by=by)

    def token_signals(
        self,
        hidden: Tensor,
        targets: Tensor,
        *,
        texts: Sequence[Sequence[int]],
        ended: bool = True,
        share: int = 1,
    ) -> TokenSignals:
        """Compute what was asked for, and nothing else, of targets ``(N,)``.

        ``hidden`` predicts them, ``(N, H)`` of :attr:`layers`. ``texts`` holds, for each text, the
        positions that the error head reads, in order: its tokens and at most one that closes it.
        Other positions have no ``error`` and ``omission``. Unless they ``ended``, texts go on. A
        ``share``-th of the workspace is theirs.
        """
        columns, statistics = self.signals_alone(hidden, targets, share=share)
        values: dict[Signal, Sequence[float | None]] = {s: c.tolist() for s, c in columns.items()}
        missing = None
        if (head := self.needed.error) is not None:
            rows = self.backbone.token_rows(targets)
            read = self.backbone.of_layers(hidden, self.layers, head.layers)
            errors = error_signals(head, read, rows, texts, statistics=statistics, ended=ended)
            values |= {Signal.ERROR: errors.wrong, Signal.OMISSION: errors.omission}
            missing = errors.missing if Signal.OMISSION in self.request.computed else None
        named = alternatives(self.backbone, statistics)
        return TokenSignals.of(values, self.request, alternatives=named, missing=missing)

    def signals_alone(
        self, hidden: Tensor, targets: Tensor, *, share: int = 1
    ) -> tuple[dict[Signal, Tensor], VocabularyStatistics | None]:
        """What was asked for and no error head gives: it needs nothing but each position, ``(N,)``.

        Statistics are those of the output layer, if that has to run, for an error head's sake or
        not. Arguments are those of :meth:`token_signals`.
        """
        request, heads = self.request, self.needed

        def of(read: Sequence[int]) -> Tensor:
            return self.backbone.of_layers(hidden, self.layers, read)

        columns = {}
        if heads.sigmoid is not None:
            columns[Signal.SIGMOID] = heads.sigmoid.score(of(heads.sigmoid.layers), targets)
        reads_statistics = heads.error is not None and heads.error.statistics
        statistics = None
        if self.runs_vocabulary:
            statistics = vocabulary_statistics(
                of(ONLY_LAST),
                self.backbone.unembedding,
                targets,
                entropy=reads_statistics or Signal.ENTROPY in request.computed,
                rank=reads_statistics or Signal.RANK in request.computed,
                top_k=request.alternatives,
                selector=LargestDrop() if Signal.BOOSTED in request.computed else None,
                workspace_bytes=request.workspace_bytes // share,
            )
            found = {
                Signal.SOFTMAX: statistics.log_prob.exp(),
                Signal.LOGPROB: statistics.log_prob,
                Signal.ENTROPY: statistics.entropy,
                Signal.BOOSTED: statistics.boosted,
                Signal.RANK: statistics.rank,
            }
            columns |= {s: v for s, v in found.items() if s in request.computed and v is not None}
        return columns, statistics

    def score_hidden(
        self, pairs: Sequence[Pair], encoded: Sequence[EncodedPair], hidden: Tensor, share: int = 1
    ) -> list[ScoredHypothesis]:
        """Score B pairs from what :attr:`layers` predict all their targets from, ``(N, H)``."""
        targets = torch.tensor([t for c in encoded for t in c.targets], device=hidden.device)
        starts, texts = [0], []
        for codes in encoded:
            # An error head reads a text's tokens and the first one that closes it
            read = min(len(codes.ranges) + 1, len(codes.targets))
            texts.append(range(starts[-1], starts[-1] + read))
            starts.append(starts[-1] + len(codes.targets))
        signals = self.token_signals(hidden, targets, texts=texts, share=share)
        return [
            signals.scored(pair, self._places(pair.hypothesis, codes, start))
            for pair, codes, start in zip(pairs, encoded, starts[:-1], strict=True)
        ]

    def _places(self, hypothesis: str, codes: EncodedPair, start: int) -> Iterator[PlacedToken]:
        """The tokens of a text, whose first target is number ``start`` of the batch."""
        texts = own_texts(codes.ranges, hypothesis)
        for index, token_id in enumerate(codes.targets):
            if index < len(texts):
                a, b = codes.ranges[index]
                yield PlacedToken(start + index, token_id, texts[index], a, b, special=False)
            else:
                name, end = self.backbone.token_name(token_id), len(hypothesis)
                yield PlacedToken(start + index, token_id, name, end, end, special=True)


def _pair_or_error(value: Pairlike) -> Pair | InputError:
    try:
        return as_pair(value)
    except InputError as error:
        return error
