"""Which estimators read answers behind their contexts, and which texts can be read."""

from headwise.backbones import NAMED_PROMPTS, PromptTemplate, parse_prompt
from headwise.backbones.prompts.templates import SequenceTemplate
from headwise.errors import TextError
from headwise.heads import load_error_head
from headwise.heads.storage.quality_heads import read_error_head_info
from headwise.languages import LANGUAGE_VARIABLES
from headwise.quality import QualityEstimator


def answer_reader(estimator: QualityEstimator) -> QualityEstimator | None:
    """The estimator, or its language model with its ``grounding_head``; ``None`` if neither reads.

    Raises:
        WeightsError: If that head is damaged.
    """
    if grounds(estimator):
        return estimator
    if (folder := estimator.grounding_head) is None:
        return None
    prompt = read_error_head_info(folder).prompt
    return QualityEstimator(
        estimator.backbone,
        error_head=load_error_head(folder),
        prompt=NAMED_PROMPTS["grounded"] if prompt is None else parse_prompt(prompt),
        workspace_bytes=estimator.workspace_bytes,
        batch_tokens=estimator.batch_tokens,
    )


def grounds(estimator: QualityEstimator) -> bool:
    """Whether an estimator has an error head, and its prompt is none of translations."""
    return estimator.error_head is not None and not _translates(estimator.prompt)


def checked_text(text: object, *, what: str) -> str:
    """A context or an answer that can be read.

    Raises:
        TextError: If it is no text, empty, or holds what no encoding can carry.
    """
    if not isinstance(text, str):
        raise TextError(f"The {what} must be a text, got {type(text).__name__}.")
    if not text.strip():
        raise TextError(f"The {what} is empty; give some text.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise TextError(
            f"The {what} holds half of a character at {error.start:,} (a lone surrogate), as "
            "badly decoded text does; read it in its own encoding."
        ) from None
    return text


def _translates(prompt: PromptTemplate) -> bool:
    if isinstance(prompt, SequenceTemplate) or prompt in (
        NAMED_PROMPTS["tiny"],
        NAMED_PROMPTS["tower"],
    ):
        return True
    return bool(LANGUAGE_VARIABLES & (prompt.fields() | prompt.columns.keys()))
