"""Load the stages of a cascade by their names."""

from collections.abc import Iterable, Mapping
from typing import Any

from headwise.backbones.addresses import is_address
from headwise.cascade.chat_model import ChatModel
from headwise.errors import PromptError
from headwise.quality import QualityEstimator

# What a prompt takes from a pair itself
_OF_PAIRS = frozenset({"source", "hypothesis"})


def load_stage(
    name: str,
    head: str | None = None,
    *,
    prompt: Any = None,
    variables: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    instruction: str = "{source}",
    most_tokens: int | None = None,
    loading: Mapping[str, Any] | None = None,
) -> QualityEstimator | ChatModel:
    """A language model and its heads, or a model behind a server.

    Args:
        name: What `QualityEstimator.from_pretrained` takes, or ``http://host:8000#NAME``.
        head: A head for it.
        prompt: A template; by default the one saved with the head.
        variables: Values for variables of prompts; what this one does not know is for others.
        columns: Columns that variables take values from, likewise.
        instruction: What a model behind a server is sent.
        most_tokens: That it may write.
        loading: Device and the like.

    Raises:
        UnknownModelError: If the name leads nowhere.
    """
    if is_address(name):
        options = {} if most_tokens is None else {"max_tokens": most_tokens}
        return ChatModel.named(name, instruction=instruction, **options)
    estimator = QualityEstimator.from_pretrained(name, head, prompt=prompt, **loading or {})
    template = estimator.prompt
    known = template.fields() - _OF_PAIRS
    estimator.prompt = template.bind(
        **{one: value for one, value in (variables or {}).items() if one in known}
    ).bind_columns(**{one: value for one, value in (columns or {}).items() if one in known})
    return estimator


def check_variables(stages: Iterable[QualityEstimator | ChatModel], names: Iterable[str]) -> None:
    """Refuse variables that no stage has.

    Raises:
        PromptError: If there is one.
    """
    known = {
        field
        for stage in stages
        if isinstance(stage, QualityEstimator)
        for field in stage.prompt.fields()
    }
    if unknown := sorted(set(names) - known):
        raise PromptError(
            f"No prompt has a variable {', '.join(unknown)}; there are "
            f"{', '.join(sorted(known - _OF_PAIRS)) or 'none'}."
        )
