"""The way from an estimator to what reads answers behind their contexts, whose room is below."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from headwise import GroundedAnswer, QualityEstimator


class GroundMethod:
    """What estimators have for answers and their contexts.

    Attributes:
        grounding_head: Folder of an error head that :meth:`ground` reads answers with, where the
            estimator's own reads something else; the bundled one of the language model.
    """

    grounding_head: Path | None = None

    def ground(self, context: str, answer: str, **options: Any) -> "GroundedAnswer":
        """Find the spans of an answer that its context does not support.

        To look at many answers, or at one while it is written, make a
        :class:`~headwise.GroundingDetector`, which this does for every call.

        Args:
            context: What the answer may say.
            answer: What it says.
            options: Those of a detector: ``entailment``, an entailment model, which is needed
                unless there is an error head of answers; ``threshold``, ``language``, ...

        Raises:
            ValueError: If there is neither such a head nor an entailment model.
            TextError: If a text is empty or badly encoded.
            ContextLengthError: If the texts are longer than a model's context.
        """
        from headwise import GroundingDetector  # by the front door: its room is further down

        detector = GroundingDetector.of(cast("QualityEstimator", self), **options)
        return detector.ground(context, answer)
