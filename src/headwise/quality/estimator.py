"""`QualityEstimator`: a frozen language model and its head, ready to score text."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import torch

from headwise.backbones import Backbone, PromptTemplate, States, default_prompt
from headwise.bundled import grounding_head, locate
from headwise.data.readers.nested_rows import pair_in_row
from headwise.data.records.pairs import Message, Pair, Pairlike
from headwise.data.records.scored import ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Aggregation, Signal, parse_signals
from headwise.errors import InputError, TextError
from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES
from headwise.heads import ErrorHead, QualityHead
from headwise.quality.calibration.record import Calibration
from headwise.quality.generation.scored import StreamedSteps, generate_scored
from headwise.quality.ground_method import GroundMethod
from headwise.quality.loading import backbone_at, prompt_at
from headwise.quality.scorer import Scorer, default_batch_tokens
from headwise.quality.signal_request import QualityHeads, SignalRequest


class QualityEstimator(GroundMethod):
    """Scores hypotheses per token, word, span and sentence.

    Attributes:
        backbone: The frozen language model; ``backbone.model`` and ``backbone.tokenizer`` are
            those of Transformers.
        head: The Sigmoid Head, or ``None``; it gives the signal ``sigmoid``.
        error_head: The error head, or ``None``; it gives the signals ``error`` and ``omission``.
        prompt: How a pair is laid out for the model.
        calibration: What makes the signal ``quality``, or ``None``; it may be set.
        threshold: Words of a lower confidence are to be checked; ``None``: by calibration, or 0.5.
        segment_threshold: Texts with a lower probability of no error are flagged, likewise.
    """

    def __init__(
        self,
        backbone: Backbone,
        head: QualityHead | None = None,
        *,
        error_head: ErrorHead | None = None,
        prompt: PromptTemplate | None = None,
        workspace_bytes: int = DEFAULT_WORKSPACE_BYTES,
        batch_tokens: int | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            backbone: The frozen language model.
            head: A Sigmoid Head trained on it.
            error_head: An error head trained on it; it is put into evaluation mode.
            prompt: By default what suits the backbone.
            workspace_bytes: Bound on the memory of vocabulary-wide work.
            batch_tokens: Tokens a batch in :meth:`score_many`; by default what suits the device.
            calibration: What makes the signal ``quality``.

        Raises:
            MismatchError: If the head belongs to another backbone.
            PromptError: If the prompt is of a kind that the backbone cannot use.
        """
        heads = QualityHeads(head, error_head).on(backbone)
        self.backbone = backbone
        self.head, self.error_head = heads.sigmoid, heads.error
        self.prompt = default_prompt(backbone) if prompt is None else prompt
        self.backbone.check_prompt(self.prompt)
        self.workspace_bytes, self.calibration = workspace_bytes, calibration
        self.threshold: float | None = None
        self.segment_threshold: float | None = None
        self.batch_tokens = batch_tokens or default_batch_tokens(backbone)

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        head: str | Path | None = None,
        *,
        prompt: str | dict[str, Any] | PromptTemplate | None = None,
        prompt_variables: dict[str, str] | None = None,
        prompt_columns: dict[str, str] | None = None,
        row_languages: bool = False,
        dtype: torch.dtype | str | None = None,
        device: torch.device | str | None = None,
        device_map: str | dict[str, Any] | None = None,
        trust_remote_code: bool = False,
        gguf_file: str | None = None,
        workspace_bytes: int = DEFAULT_WORKSPACE_BYTES,
        states: str | Path | States | None = None,
    ) -> "QualityEstimator":
        """Load a language model and its heads.

        Args:
            name: A bundled name (``"tiny-en-de"``), ``"gemma-3-270m"``, or a folder, GGUF file or
                hub id of a language model, or of a head that knows its backbone.
            head: A folder or hub id of a Sigmoid Head, an error head, or both.
            prompt: A template, or the name of one in `headwise.backbones.NAMED_PROMPTS`
                (``translate``, ``question``, ``chat``); by default the one saved with the head.
            prompt_variables: Values for its variables, ``target_language`` for instance.
            prompt_columns: Columns of rows that variables take their values from instead.
            row_languages: Whether columns `source_language` and `target_language` give the others.
            dtype: The model's floating point type; float32 on a CPU, that of its file elsewhere.
            device: Where to run; the machine's accelerator by default.
            device_map: How to spread a large model over devices.
            trust_remote_code: Whether code that comes with the backbone may run.
            gguf_file: The GGUF file in the folder or on the hub that holds the language model.
            workspace_bytes: Bound on the memory of vocabulary-wide work.
            states: Whose hidden states stand for the model: a server's address, a folder, `States`.

        Raises:
            UnknownModelError: If a name leads nowhere.
            WeightsError, CalibrationError: If weights or a calibration are damaged or unsafe.
            MismatchError, PromptError: If head, prompt and backbone do not belong together.
            StatesError: If `states` cannot be had.
        """
        location = locate(name, head, gguf_file)
        options = {"dtype": dtype, "device": device, "trust_remote_code": trust_remote_code}
        backbone = backbone_at(location, states, device_map=device_map, **options)
        stored = QualityHeads.load(location.head, backbone)
        calibration = None
        if location.head is not None:
            calibration = Calibration.load(location.head, model=location.backbone)
        template = prompt_at(location, backbone, prompt, row_languages=row_languages)
        made = cls(
            *(backbone, stored.sigmoid),
            error_head=stored.error,
            prompt=template.bind(**prompt_variables or {}).bind_columns(**prompt_columns or {}),
            workspace_bytes=workspace_bytes,
            calibration=calibration,
        )
        made.grounding_head = grounding_head(location.backbone)
        return made

    @property
    def default_signal(self) -> Signal:
        """What is computed if no signal is named: the best that heads and calibration can give."""
        return self.heads.default_signal(self.calibration)

    @property
    def heads(self) -> QualityHeads:
        """Both heads as one record."""
        return QualityHeads(self.head, self.error_head)

    def scorer(self, signals: Iterable[str] | None = None, alternatives: int = 0) -> Scorer:
        """What scores with ``signals``: the parts as they are now, which never change in it.

        Raises:
            ValueError: If a signal is unknown or cannot be given, or ``alternatives`` is too large.
        """
        request = SignalRequest(
            parse_signals([self.default_signal] if signals is None else signals),
            *(alternatives, self.workspace_bytes, self.calibration),
            *(self.threshold, self.segment_threshold),
        )
        request.check(self.heads, vocabulary_size=self.backbone.vocabulary_size)
        return Scorer(
            backbone=self.backbone,
            heads=self.heads,
            prompt=self.prompt,
            request=request,
            batch_tokens=self.batch_tokens,
        )

    def score(
        self,
        source: str | list[Message] | None,
        hypothesis: str,
        *,
        signals: Iterable[str] | None = None,
        alternatives: int = 0,
        row: Mapping[str, Any] | None = None,
    ) -> ScoredHypothesis:
        """Score one hypothesis.

        Args:
            source: The text or messages that it answers to; ``None`` with the prompt ``raw``.
            hypothesis: The text to score.
            signals: Names of signals (:class:`~headwise.data.records.signals.Signal`), the main
                one first. :attr:`default_signal` by default.
            alternatives: How many of the language model's own choices to report a token.
            row: Columns beside the texts, from which the prompt may take variables.

        Raises:
            TextError: If a text is empty, badly encoded, or holds control tokens.
            ContextLengthError: If the pair is longer than the model's context.
        """
        pairs = [pair_in_row(source, hypothesis, row)]
        (result,) = self.score_many(pairs, signals=signals, alternatives=alternatives)
        return cast(ScoredHypothesis, result)  # an error was raised

    def score_many(
        self,
        pairs: Iterable[Pairlike],
        *,
        signals: Iterable[str] | None = None,
        alternatives: int = 0,
        errors: Literal["raise", "yield"] = "raise",
        progress: bool = False,
    ) -> Iterator[ScoredHypothesis | InputError]:
        """Score many hypotheses in batches of similar length, in bounded memory.

        Args:
            pairs: Pairs, tuples, objects or conversations (`as_pair`); read when needed.
            signals: As in :meth:`score`.
            alternatives: As in :meth:`score`.
            errors: Whether a pair that cannot be scored raises its error, or yields it.
            progress: Whether to show a progress bar on standard error.

        Yields:
            One result a pair, in input order.
        """
        if errors not in ("raise", "yield"):
            raise ValueError(f"`errors` must be 'raise' or 'yield', got {errors!r}.")
        scorer = self.scorer(signals, alternatives)
        return scorer.score_many(pairs, raising=errors == "raise", progress=progress)

    def generate(
        self,
        source: str | list[Message] | None = None,
        *,
        signals: Iterable[str] | None = None,
        alternatives: int = 0,
        stop: str | Iterable[str] = (),
        row: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> ScoredHypothesis:
        """Generate a hypothesis and score it from the same pass, as :meth:`score` would.

        Args:
            source: What to answer to or translate: a text, or the messages of a conversation.
            signals: As in :meth:`score`.
            alternatives: As in :meth:`score`.
            row: As in :meth:`score`.
            stop: Texts that end the hypothesis where they are first written, and are cut off with
                their tokens. It also ends where the prompt's layout closes it. Without a closing
                token, it has no end for the error head.
            options: Options of Transformers' ``generate``: ``num_beams=4``, ``do_sample=True``,
                ``max_new_tokens=...``, ``generation_config=...``. By default what the model's own
                ``generation_config`` says; where it is silent, greedy and at most 256 new tokens.
        """
        scorer = self.scorer(signals, alternatives)
        return generate_scored(scorer, pair_in_row(source, "", row), options, stop)

    def stream(
        self,
        source: str | list[Message] | None = None,
        *,
        signals: Iterable[str] | None = None,
        alternatives: int = 0,
        stop: str | Iterable[str] = (),
        row: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Iterator[ScoredToken]:
        """Generate and hand out each token with its scores as soon as they can be known.

        With ``error`` of a head that looks ahead (variant ``hindsight``), and ``quality`` made of
        it, a token waits for the next one, with ``omission`` for one more. The error head does not
        see an end that is not there yet; its values differ a little from :meth:`score`. Arguments
        are those of :meth:`generate` without beams, and ``generator``, a ``torch.Generator``.

        Yields:
            Tokens in order, the closing special ones last; none ends inside a character.
        """
        scorer = self.scorer(signals, alternatives).asking(texts=False)
        for tokens in StreamedSteps(scorer, pair_in_row(source, "", row), options, stop):
            yield from tokens

    def rerank(
        self,
        source: str | None,
        hypotheses: Sequence[str],
        *,
        signals: Iterable[str] | None = None,
        by: Aggregation | str | None = None,
        row: Mapping[str, Any] | None = None,
    ) -> list[ScoredHypothesis]:
        """Score hypotheses of one source, whose prompt is read once, and sort them, best first.

        Args:
            source: What they answer to or translate.
            hypotheses: The candidates; equal ones keep their order, those without a value are last.
            signals: As in :meth:`score`; the main one decides.
            by: How token values of the main signal become the number to sort by; by default
                their mean, and for ``quality`` what its calibration chose (``ranking_score``).
            row: As in :meth:`score`.

        Raises:
            PromptBoundaryError: If the candidates do not share the prompt's tokens.
        """
        if isinstance(hypotheses, str):
            raise TextError("`hypotheses` must be a list of texts, got one text.")
        pairs = [Pair(source, text, extra=row or {}) for text in hypotheses]
        return self.scorer(signals).rerank(pairs, by=by)
