"""How a sentence-transformers model makes embeddings, read from its folder without running it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from headwise.documents import parse_json
from headwise.errors import UnsupportedModelError
from headwise.functional.pooling import Pooling

MODULES_FILE = "modules.json"

# In the order in which sentence-transformers puts several results one after the other
_SWITCHES = {
    "pooling_mode_cls_token": Pooling.CLS,
    "pooling_mode_max_tokens": Pooling.MAX,
    "pooling_mode_mean_tokens": Pooling.MEAN,
    "pooling_mode_mean_sqrt_len_tokens": Pooling.MEAN_SQRT_LENGTH,
    "pooling_mode_weightedmean_tokens": Pooling.WEIGHTED_MEAN,
    "pooling_mode_lasttoken": Pooling.LAST,
}
_NAMES = {str(how): how for how in Pooling} | {"mean_sqrt_len_tokens": Pooling.MEAN_SQRT_LENGTH}

ReadText = Callable[[str], str | None]
"""Gives the text of a file of the model by its path in it, or ``None`` if there is none."""


@dataclass(frozen=True, slots=True)
class SentenceSettings:
    """What a sentence-transformers model does around its Transformer.

    Attributes:
        pooling: Its ways of pooling, in the order in which their results are put together.
        normalise: Whether its embeddings have unit length.
        subfolder: Where in the model the Transformer is; empty for its root.
        lower_case: Whether texts are turned to lower case before they are tokenised.
        max_seq_length: Where sentence-transformers cuts texts, in tokens; for information.
    """

    pooling: tuple[Pooling, ...]
    normalise: bool
    subfolder: str = ""
    lower_case: bool = False
    max_seq_length: int | None = None


def read_sentence_settings(read: ReadText, *, name: str) -> SentenceSettings | None:
    """Read the settings of a sentence-transformers model; a plain Transformer has none.

    Raises:
        UnsupportedModelError: If something in it changes the embedding in a way that is not
            known here, or its files are damaged.
    """
    if (modules := _json(read, MODULES_FILE, name=name)) is None:
        return None
    try:
        kinds = [(str(m["type"]), str(m["path"])) for m in modules]
    except (TypeError, KeyError) as error:
        raise UnsupportedModelError(
            f"{MODULES_FILE} of {name} does not list modules with their type and path."
        ) from error
    if default := (_json(read, "config_sentence_transformers.json", name=name) or {}).get(
        "default_prompt_name"
    ):
        raise UnsupportedModelError(
            f"{name} puts its prompt {default!r} in front of every text, which is not done here; "
            "set `default_prompt_name` to null in its config_sentence_transformers.json and put "
            "the prompt there yourself."
        )
    pooling: tuple[Pooling, ...] | None = None
    subfolder, normalise, settings = "", False, dict[str, Any]()
    for index, (kind, path) in enumerate(kinds):
        match _known(kind):
            case "Transformer" if index == 0:
                subfolder = path
                settings_file = _inside(path, "sentence_bert_config.json")
                settings = _json(read, settings_file, name=name) or {}
            case "Pooling" if index and pooling is None and not normalise:
                pooling = _pooling(_json(read, _inside(path, "config.json"), name=name), name=name)
            case "Normalize" if pooling is not None:
                normalise = True
            case "Dropout" if pooling is not None:
                pass  # does nothing in a model that is not trained
            case _:
                raise UnsupportedModelError(
                    f"{name} has the module {kind} at place {index}, which changes its embeddings; "
                    "known are a Transformer, then Pooling, then Normalize."
                )
    if pooling is None:
        raise UnsupportedModelError(
            f"{name} has no Pooling module, so that it makes no embedding of a whole text."
        )
    return SentenceSettings(
        pooling=pooling,
        normalise=normalise,
        subfolder=subfolder,
        lower_case=bool(settings.get("do_lower_case")),
        max_seq_length=settings.get("max_seq_length"),
    )


def _known(kind: str) -> str | None:
    """The name of a class of sentence-transformers; where in it the class lives has changed."""
    return kind.rpartition(".")[2] if kind.startswith("sentence_transformers.") else None


def _pooling(config: Any, *, name: str) -> tuple[Pooling, ...]:
    if not isinstance(config, dict):
        raise UnsupportedModelError(f"The Pooling module of {name} has no config.json.")
    if (modes := config.get("pooling_mode")) is None:
        # All switched off, or none there: sentence-transformers takes the mean
        on = tuple(how for switch, how in _SWITCHES.items() if config.get(switch))
        return on or (Pooling.MEAN,)
    modes = [modes] if isinstance(modes, str) else modes
    if unknown := [mode for mode in modes if mode not in _NAMES]:
        raise UnsupportedModelError(
            f"{name} pools by {unknown[0]!r}; known are {', '.join(_NAMES)}."
        )
    return tuple(_NAMES[mode] for mode in modes)


def _inside(folder: str, file: str) -> str:
    return f"{folder}/{file}" if folder else file


def _json(read: ReadText, path: str, *, name: str) -> Any:
    if (text := read(path)) is None:
        return None
    try:
        return parse_json(text)
    except ValueError as error:
        raise UnsupportedModelError(f"{path} of {name} is not valid JSON: {error}") from error
