"""`QualityEstimator`: a frozen language model and its head, ready to score text."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import torch

from headwise.backbones import (
    Backbone,
    EncodedPair,
    PromptTemplate,
    default_prompt,
    load_backbone,
    parse_prompt,
)
from headwise.bundled import locate
from headwise.data.aggregation import Aggregation
from headwise.data.pairs import Pair
from headwise.data.scored import ScoredHypothesis, ScoredToken
from headwise.data.signals import Signal, parse_signals
from headwise.errors import InputError, TextError
from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES
from headwise.heads import QualityHead, load_head
from headwise.heads.storage import check_fit, read_head_info
from headwise.progress import progress_bar
from headwise.quality.batches import score_batchwise
from headwise.quality.calibration import Calibration
from headwise.quality.generation import generate_tokens, stream_tokens
from headwise.quality.token_signals import (
    PlacedToken,
    SignalRequest,
    compute_signals,
    score_encoded,
)
from headwise.quality.writing import HypothesisWriter, written_hypothesis

# Measured: small batches keep a CPU's caches warm, an accelerator wants work in bulk
_BATCH_TOKENS_CPU, _BATCH_TOKENS_ACCELERATOR = 1024, 32768
_RERANK_BATCH = 32


class QualityEstimator:
    """Scores hypotheses per token, word, span and sentence.

    Attributes:
        backbone: The frozen language model; ``backbone.model`` and ``backbone.tokenizer`` are
            those of Transformers.
        head: The head, or ``None``; then only softmax-based signals can be asked for.
        prompt: How a pair is laid out for the model.
        calibration: What makes the signal ``quality``, or ``None``; it may be set.
    """

    def __init__(
        self,
        backbone: Backbone,
        head: QualityHead | None = None,
        *,
        prompt: PromptTemplate | None = None,
        workspace_bytes: int = DEFAULT_WORKSPACE_BYTES,
        batch_tokens: int | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            backbone: The frozen language model.
            head: A head trained on it.
            prompt: How a pair is laid out; by default what suits the backbone.
            workspace_bytes: Bound on the memory of vocabulary-wide work.
            batch_tokens: Tokens a batch in :meth:`score_many`; by default what suits the device.
            calibration: What makes the signal ``quality``.

        Raises:
            MismatchError: If the head belongs to another backbone.
            PromptError: If the prompt is of a kind that the backbone cannot use.
        """
        if head is not None:
            check_fit(
                head,
                vocabulary_size=backbone.vocabulary_size,
                hidden_size=backbone.hidden_size,
            )
            head = head.to(backbone.device)
        self.backbone = backbone
        self.head = head
        self.prompt = default_prompt(backbone) if prompt is None else prompt
        self.backbone.check_prompt(self.prompt)
        self.workspace_bytes = workspace_bytes
        self.calibration = calibration
        on_cpu = backbone.device.type == "cpu"
        self.batch_tokens = batch_tokens or (
            _BATCH_TOKENS_CPU if on_cpu else _BATCH_TOKENS_ACCELERATOR
        )

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        head: str | Path | None = None,
        *,
        prompt: str | dict[str, Any] | PromptTemplate | None = None,
        prompt_variables: dict[str, str] | None = None,
        dtype: torch.dtype | str | None = None,
        device: torch.device | str | None = None,
        device_map: str | dict[str, Any] | None = None,
        trust_remote_code: bool = False,
        workspace_bytes: int = DEFAULT_WORKSPACE_BYTES,
    ) -> "QualityEstimator":
        """Load a language model and its head.

        Args:
            name: A bundled name (``"tiny-en-de"``), a folder or hub id of a language model, or
                the folder of a head that knows its backbone.
            head: A folder or hub id of a head.
            prompt: A template, or the name of one (``tower``, ``tiny``, ``chat``, ``raw``,
                ``sequence``); by default the one saved with the head.
            prompt_variables: Values for the prompt's variables, ``target_language`` for instance.
            dtype: The model's floating point type; float32 on a CPU, that of its file elsewhere.
            device: Where to run; the machine's accelerator by default.
            device_map: How to spread a large model over devices.
            trust_remote_code: Whether code that comes with the backbone may run.
            workspace_bytes: Bound on the memory of vocabulary-wide work.

        Raises:
            UnknownModelError: If a name leads nowhere.
            WeightsError: If weights are damaged or unsafe.
            CalibrationError: If the calibration in the head's folder is damaged.
            MismatchError: If head and backbone do not belong together.
            PromptError: If the prompt is unknown or does not suit the backbone.
        """
        location = locate(name, head)
        backbone = load_backbone(
            location.backbone,
            dtype=dtype,
            device=device,
            device_map=device_map,
            trust_remote_code=trust_remote_code,
        )
        loaded = calibration = None
        if location.head is not None:
            loaded = load_head(location.head, unembedding=lambda: backbone.unembedding)
            prompt = read_head_info(location.head).prompt if prompt is None else prompt
            calibration = Calibration.load(location.head)
        template = default_prompt(backbone) if prompt is None else parse_prompt(prompt)
        if prompt_variables:
            template = template.bind(**prompt_variables)
        return cls(
            backbone,
            loaded,
            prompt=template,
            workspace_bytes=workspace_bytes,
            calibration=calibration,
        )

    @property
    def default_signal(self) -> Signal:
        """The signal that is computed if none is named: the head's, if there is a head."""
        return Signal.SIGMOID if self.head is not None else Signal.SOFTMAX

    def score(
        self,
        source: str | None,
        hypothesis: str,
        *,
        signals: Iterable[str] | None = None,
        alternatives: int = 0,
    ) -> ScoredHypothesis:
        """Score one hypothesis.

        Args:
            source: What it answers to or translates; ``None`` with the prompt ``raw``.
            hypothesis: The text to score.
            signals: Names of signals, see :class:`~headwise.data.signals.Signal`; the first is
                the main one. ``sigmoid`` by default, ``softmax`` without a head.
            alternatives: How many of the language model's own choices to report a token.

        Raises:
            TextError: If a text is empty, badly encoded, or holds control tokens.
            ContextLengthError: If the pair is longer than the model's context.
        """
        request = self._request(signals, alternatives)
        (result,) = self._score_batchwise([Pair(source, hypothesis)], request)
        if isinstance(result, InputError):
            raise result
        return result

    def score_many(
        self,
        pairs: Iterable[Pair | tuple[str | None, str]],
        *,
        signals: Iterable[str] | None = None,
        alternatives: int = 0,
        errors: Literal["raise", "yield"] = "raise",
        progress: bool = False,
    ) -> Iterator[ScoredHypothesis | InputError]:
        """Score many hypotheses in batches of similar length, in bounded memory.

        Args:
            pairs: Pairs, or tuples of source and hypothesis; read as they are needed.
            signals: As in :meth:`score`.
            alternatives: As in :meth:`score`.
            errors: Whether a pair that cannot be scored raises its error, or the error is
                yielded in the pair's place.
            progress: Whether to show a progress bar on standard error.

        Yields:
            One result a pair, in input order.
        """
        if errors not in ("raise", "yield"):
            raise ValueError(f"`errors` must be 'raise' or 'yield', got {errors!r}.")
        request = self._request(signals, alternatives)
        return self._score_windows(pairs, request, raising=errors == "raise", progress=progress)

    def generate(
        self,
        source: str | None = None,
        *,
        signals: Iterable[str] | None = None,
        alternatives: int = 0,
        **options: Any,
    ) -> ScoredHypothesis:
        """Generate a hypothesis and score it from the same pass.

        Args:
            source: What to answer to or translate.
            signals: As in :meth:`score`.
            alternatives: As in :meth:`score`.
            options: Options of Transformers' ``generate``: ``num_beams=4``, ``do_sample=True``,
                ``max_new_tokens=...``. Greedy and at most 256 new tokens by default.

        Returns:
            The hypothesis with its scores; empty if the model had nothing to say.
        """
        request = self._request(signals, alternatives)
        with torch.inference_mode():
            inputs = self.backbone.encode_prompt(source, self.prompt)
            generated = generate_tokens(self.backbone, inputs, options)
            targets = torch.tensor(generated.token_ids, device=generated.hidden.device)
            values = compute_signals(
                self.backbone, self.head, generated.hidden, targets.long(), request
            )
        return written_hypothesis(self.backbone, source, generated.token_ids, values, request)

    def stream(
        self,
        source: str | None = None,
        *,
        signals: Iterable[str] | None = None,
        alternatives: int = 0,
        **options: Any,
    ) -> Iterator[ScoredToken]:
        """Generate and hand out each token with its scores as soon as it exists.

        Args:
            source: What to answer to or translate.
            signals: As in :meth:`score`.
            alternatives: As in :meth:`score`.
            options: Options of Transformers' ``generate``; no beams.

        Yields:
            Tokens in order, the closing special ones last. A token that ends inside a character
            waits for the rest of that character.
        """
        request = self._request(signals, alternatives)
        inputs = self.backbone.encode_prompt(source, self.prompt)
        writer = HypothesisWriter(self.backbone)
        waiting: dict[int, torch.Tensor] = {}

        def scored(places: list[PlacedToken]) -> Iterator[ScoredToken]:
            for place in places:
                with torch.inference_mode():
                    target = torch.tensor([place.token_id], device=self.backbone.device)
                    hidden = waiting.pop(place.index).unsqueeze(0)
                    values = compute_signals(self.backbone, self.head, hidden, target, request)
                yield values.token(0, place)

        for index, (token_id, hidden) in enumerate(stream_tokens(self.backbone, inputs, options)):
            waiting[index] = hidden
            yield from scored(writer.push(token_id))
        yield from scored(writer.finish())

    def rerank(
        self,
        source: str | None,
        hypotheses: Sequence[str],
        *,
        signals: Iterable[str] | None = None,
        by: Aggregation | str = Aggregation.MEAN,
    ) -> list[ScoredHypothesis]:
        """Score hypotheses of one source and sort them, best first.

        The prompt is read once; its keys and values are shared by all hypotheses.

        Args:
            source: What they answer to or translate.
            hypotheses: The candidates.
            signals: As in :meth:`score`; the main one decides.
            by: How token values become the number to sort by.

        Returns:
            All candidates; equal ones keep their order.

        Raises:
            TextError: If a text cannot be scored.
            ContextLengthError: If a pair is longer than the model's context.
            PromptBoundaryError: If the candidates do not share the prompt's tokens.
        """
        if isinstance(hypotheses, str):
            raise TextError("`hypotheses` must be a list of texts, got one text.")
        request = self._request(signals, 0)
        pairs = [Pair(source, hypothesis) for hypothesis in hypotheses]
        encoded: list[EncodedPair] = []
        for code in self._encode(pairs):
            if isinstance(code, InputError):
                raise code
            encoded.append(code)
        scored: list[ScoredHypothesis] = []
        for start in range(0, len(pairs), _RERANK_BATCH):
            part = slice(start, start + _RERANK_BATCH)
            with torch.inference_mode():
                hidden = self.backbone.shared_prompt_hidden(encoded[part])
                scored += score_encoded(
                    self.backbone, self.head, pairs[part], encoded[part], hidden, request
                )
        main = request.signals[0]

        def value(candidate: ScoredHypothesis) -> float:
            number = candidate.aggregate(by)
            assert number is not None
            return -number if main.higher_is_better else number

        return sorted(scored, key=value)

    def _request(self, names: Iterable[str] | None, alternatives: int) -> SignalRequest:
        signals = parse_signals([self.default_signal] if names is None else names)
        if Signal.QUALITY in signals and self.calibration is None:
            raise ValueError(
                "The signal 'quality' needs a calibration and the head has none; run `headwise "
                "calibrate`, or set `calibration`."
            )
        request = SignalRequest(signals, alternatives, self.workspace_bytes, self.calibration)
        if Signal.SIGMOID in request.computed and self.head is None:
            raise ValueError(
                "The signal 'sigmoid' needs a head and none is loaded; give `head`, or ask for "
                "'softmax', 'logprob', 'entropy', 'boosted' or 'rank'."
            )
        if not 0 <= alternatives <= self.backbone.vocabulary_size:
            raise ValueError(
                f"`alternatives` must lie in [0, {self.backbone.vocabulary_size}], "
                f"got {alternatives}."
            )
        return request

    def _encode(self, pairs: Sequence[Pair]) -> list[EncodedPair | InputError]:
        return self.backbone.encode([(p.given, p.hypothesis) for p in pairs], self.prompt)

    def _score_windows(
        self,
        pairs: Iterable[Pair | tuple[str | None, str]],
        request: SignalRequest,
        *,
        raising: bool,
        progress: bool,
    ) -> Iterator[ScoredHypothesis | InputError]:
        total = len(pairs) if isinstance(pairs, Sequence) else None
        stream = map(Pair.of, pairs)
        with progress_bar("Scoring", total=total, enabled=progress) as advance:
            # A window of as many pairs as a batch has tokens holds enough pairs of each length
            while window := list(islice(stream, self.batch_tokens)):
                for result in self._score_batchwise(window, request, advance):
                    if raising and isinstance(result, InputError):
                        raise result
                    yield result

    def _score_batchwise(
        self,
        pairs: Sequence[Pair],
        request: SignalRequest,
        advance: Callable[[int], None] = lambda _: None,
    ) -> list[ScoredHypothesis | InputError]:
        return score_batchwise(
            self.backbone,
            self.head,
            pairs,
            self._encode(pairs),
            request,
            batch_tokens=self.batch_tokens,
            advance=advance,
        )
