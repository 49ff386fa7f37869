"""`EntailmentModel`: a frozen encoder and its heads, ready to compare texts."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import torch

from headwise.backbones import EncoderBackbone, load_encoder, weights_digest
from headwise.bundled.registry import locate_entailment
from headwise.data.jobs import timed_windows
from headwise.entailment.claims_and_routes import ClaimsAndRoutes
from headwise.entailment.embedding import HeadedEncoder
from headwise.entailment.inputs import all_good, broadcast_pairs
from headwise.entailment.predicting import (
    WINDOW,
    Prediction,
    find_threshold,
    predict_pairs,
    uncertainty_name,
)
from headwise.errors import InputError
from headwise.heads import TaskHeads, check_task_heads_fit, check_threshold, load_task_heads
from headwise.progress import progress_bar


class EntailmentModel(ClaimsAndRoutes):
    """Says what follows from what, embeds, routes, checks claims, searches and reranks.

    Without heads, what needs embeddings or token vectors alone still works: ``embed``, ``rerank``,
    ``index``, ``search``, and ``route`` by similarity. Every method refuses texts that cannot be
    read (`TextError`) or are longer than the context (`ContextLengthError`); nothing is cut.

    Args:
        backbone: The frozen encoder.
        heads: Its heads; ``None`` for embeddings alone.
        threshold: Uncertainty in [0, 1] from which the model abstains; ``None`` for that of the
            heads.
    """

    def __init__(
        self,
        backbone: EncoderBackbone,
        heads: TaskHeads | None = None,
        *,
        threshold: float | None = None,
    ) -> None:
        """Put the parts together.

        Heads that ask for a learned uncertainty and have no abstention head take one minus the
        largest probability. ``threshold`` overrides the one saved with the heads.

        Raises:
            MismatchError: If the heads belong to another encoder.
        """
        if heads is not None:
            check_task_heads_fit(heads, backbone)
            heads = heads.to(backbone.device).eval()
        super().__init__(HeadedEncoder.of(backbone, heads))
        if threshold is None:
            threshold = 0.5 if heads is None else heads.config.threshold
        self.threshold = threshold

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        heads: str | Path | None = None,
        *,
        dtype: torch.dtype | str | None = None,
        device: torch.device | str | None = None,
        trust_remote_code: bool = False,
        gguf_file: str | None = None,
        threshold: float | None = None,
    ) -> "EntailmentModel":
        """Load an encoder and its heads.

        Args:
            name: A bundled name (``"minilm-snli"``), a folder or hub id of an encoder, or the
                folder of heads that know their encoder.
            heads: A folder, ``.pt`` file or hub id of heads.
            dtype: The encoder's floating point type; float32 on a CPU, that of its file elsewhere.
            device: Where to run; the machine's accelerator by default.
            trust_remote_code: Whether code that comes with the encoder may run.
            gguf_file: The GGUF file in the folder or on the hub that holds the encoder.
            threshold: As in the constructor.

        Raises:
            UnknownModelError: If a name leads nowhere, or belongs to an extra that is missing.
            UnsupportedModelError: If the encoder makes its embeddings in an unknown way.
            WeightsError, MismatchError: If weights are damaged or unsafe, or do not fit.
        """
        location = locate_entailment(name, heads, gguf_file)
        loaded = None if location.heads is None else load_task_heads(location.heads)
        backbone = load_encoder(
            location.encoder,
            dtype=dtype,
            device=device,
            trust_remote_code=trust_remote_code,
            max_length=None if loaded is None else loaded.config.max_length,
        )
        return cls(backbone, loaded, threshold=threshold)

    def content(self) -> dict[str, Any]:
        """What predictions follow from, as plain values: texts are whole, weights are digests."""
        told = self.encoder.backbone.content() | {"threshold": self.threshold}
        if (heads := self.heads) is not None:
            told["weights of the heads"] = weights_digest(heads)
            told |= {
                name: getattr(heads.config, name) for name in ("features", "abstain_by", "layers")
            }
        return told

    @property
    def threshold(self) -> float:
        """The model abstains where its uncertainty is at least this; above 1 it never does."""
        return self._threshold

    @threshold.setter
    def threshold(self, value: float) -> None:
        check_threshold(value)
        self._threshold = float(value)

    @property
    def abstain_by(self) -> str | None:
        """What the uncertainty is: ``learned``, or a function of the probabilities by name."""
        return None if self.heads is None else uncertainty_name(self.heads)

    @overload
    def predict(  # type: ignore[overload-overlap]  # a text is an iterable of texts, too
        self, premises: str, hypotheses: str
    ) -> Prediction: ...
    @overload
    def predict(
        self, premises: str | Iterable[str], hypotheses: str | Iterable[str]
    ) -> list[Prediction]: ...

    def predict(
        self, premises: str | Iterable[str], hypotheses: str | Iterable[str]
    ) -> Prediction | list[Prediction]:
        """Say what hypotheses are to premises.

        Args:
            premises: One text or a list.
            hypotheses: One text or a list. One text goes with every text of the other side.

        Returns:
            One prediction for two texts, else a list in input order.

        Raises:
            ValueError: If two lists differ in length, or the model has no heads.
        """
        pairs, single = broadcast_pairs(premises, hypotheses)
        found = all_good(self.predict_many(pairs), name=None if single else "pairs")
        return found[0] if single else found

    def predict_many(
        self, pairs: Iterable[tuple[str, str]], *, progress: bool = False
    ) -> Iterator[Prediction | InputError]:
        """Predict many pairs in batches of similar length, in bounded memory.

        Args:
            pairs: Premises and hypotheses; read as they are needed.
            progress: Whether to show a bar.

        Yields:
            One result a pair, in input order; an error in the place of a pair that cannot be read.

        Raises:
            ValueError: If the model has no heads.
        """
        self.encoder.heads_for("predict")  # here, not at the first result
        return self._predict_windows(pairs, progress=progress)

    def predict_window(self, pairs: Sequence[tuple[str, str]]) -> list[Prediction | InputError]:
        """Predict pairs that are read together; else as :meth:`predict_many`.

        Args:
            pairs: Premises and hypotheses.
        """
        return predict_pairs(self.encoder, pairs, threshold=self.threshold)

    def _predict_windows(
        self, pairs: Iterable[tuple[str, str]], *, progress: bool
    ) -> Iterator[Prediction | InputError]:
        total = len(pairs) if isinstance(pairs, Sequence) else None
        with progress_bar("Predicting", total=total, enabled=progress) as advance:
            for window in timed_windows(pairs, most=WINDOW, size=lambda pair: len(str(pair))):
                yield from self.predict_window(window)
                advance(len(window))

    def tune_threshold(
        self,
        premises: str | Iterable[str],
        hypotheses: str | Iterable[str],
        labels: Sequence[object] | None = None,
        *,
        coverage: float | None = None,
        risk: float | None = None,
        confidence: float | None = None,
    ) -> float:
        """Choose and set the threshold for a coverage or a risk.

        Args:
            premises: As in :meth:`predict`, of pairs that the heads were not trained on.
            hypotheses: As in :meth:`predict`.
            labels: What the pairs are, as SNLI, MultiNLI or ANLI write it; only for ``risk``.
            coverage: Share of pairs to answer at least, in (0, 1].
            risk: Share of errors among answers at most, in (0, 1).
            confidence: Probability with which ``risk`` holds for other pairs of this kind, in
                (0, 1); by default it holds for the given pairs only.

        Returns:
            The threshold, which is not saved with the heads.

        Raises:
            ValueError: If not exactly one of ``coverage`` and ``risk`` is given, or labels are
                missing or unknown.
            CalibrationError: If no threshold keeps the risk; the old one stays.
        """
        pairs, _ = broadcast_pairs(premises, hypotheses)
        self.threshold = find_threshold(
            all_good(self.predict_many(pairs), name="pairs"),
            labels,
            coverage=coverage,
            risk=risk,
            confidence=confidence,
        )
        return self.threshold
