"""How a sentence-transformers model makes embeddings, read from its folder without running it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from headwise.backbones.encoders.sentence_embedding import SentenceEmbedding, TextRole
from headwise.documents import parse_json
from headwise.errors import UnsupportedModelError
from headwise.functional.pooling import Pooling
from headwise.functional.similarity import Similarity

MODULES_FILE = "modules.json"
MODEL_FILE = "config_sentence_transformers.json"

# The first one that is there counts; all but one are of old models
_KINDS = ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
_TRANSFORMER_FILES = tuple(f"sentence_{kind}_config.json" for kind in _KINDS)
_TASK = "feature-extraction"
# Options of the Transformer, of its tokeniser and of every call of that, by their names then and
# now, and those of them that say how something is computed, not what
_OPTIONS = {
    ("model_args", "model_kwargs"): {"torch_dtype", "dtype", "attn_implementation"}
    | {"add_pooling_layer", "revision"},
    ("config_args", "config_kwargs"): {"revision"},
    ("tokenizer_args", "processor_kwargs"): {"model_max_length", "padding_side", "revision"}
    | {"use_fast", "clean_up_tokenization_spaces"},
    ("processing_kwargs", "processing_kwargs"): {"image", "audio", "video"},
}
# Settings of models that read queries and documents each in a way of its own
_OF_SIDES = ("query_length", "document_length", "query_expansion")
_READ = (None, "last_hidden_state")

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
        embedding: How token vectors become embeddings, which are compared.
        subfolder: Where in the model the Transformer is; empty for its root.
        lower_case: Whether texts are turned to lower case before they are tokenised.
    """

    embedding: SentenceEmbedding
    subfolder: str = ""
    lower_case: bool = False


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
    pooling: Mapping[str, Any] | None = None
    subfolder, normalise, settings = "", False, dict[str, Any]()
    for index, (kind, path) in enumerate(kinds):
        match _known(kind):
            case "Transformer" if index == 0:
                subfolder = path
                files = (_inside(path, file) for file in _TRANSFORMER_FILES)
                found = (_object(read, file, name=name) for file in files)
                settings = next(filter(None, found), {})
            case "Pooling" if index and pooling is None and not normalise:
                file = _inside(path, "config.json")
                if _json(read, file, name=name) is None:
                    raise UnsupportedModelError(f"The Pooling module of {name} has no config.json.")
                pooling = _object(read, file, name=name)
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
    whole = _object(read, MODEL_FILE, name=name)
    prompts = _prompts(whole, name=name)
    if any(prompts.values()) and not pooling.get("include_prompt", True):
        raise UnsupportedModelError(
            f"{name} leaves its prompts out of what it pools, which is not done here."
        )
    return SentenceSettings(
        SentenceEmbedding(
            pooling=_pooling(pooling, name=name),
            normalise=normalise,
            truncate=_whole_number(whole, "truncate_dim", name=name),
            similarity=_similarity(whole, name=name),
            prompts=prompts,
            longest=_max_length(settings, name=name),
        ),
        subfolder=subfolder,
        lower_case=bool(settings.get("do_lower_case")),
    )


def _prompts(whole: Mapping[str, Any], *, name: str) -> dict[TextRole, str]:
    """What is put in front of texts, by the names that sentence-transformers looks for."""
    named = whole.get("prompts") or {}
    if not isinstance(named, dict) or not all(isinstance(v, str | None) for v in named.values()):
        raise UnsupportedModelError(
            f"`prompts` in {MODEL_FILE} of {name} must be texts by their names, got {named!r}."
        )
    default = whole.get("default_prompt_name")
    if default is not None and default not in named:
        raise UnsupportedModelError(
            f"{name} puts its prompt {default!r} in front of every text, and {MODEL_FILE} has no "
            f"such prompt; it has {', '.join(map(repr, named)) or 'none'}."
        )
    # Queries and documents without a prompt of theirs get none, not the default one
    chosen: dict[TextRole, str | None] = {
        "text": named.get(default),
        "query": named.get("query"),
        "document": named.get("document"),
    }
    return {role: prompt for role, prompt in chosen.items() if prompt}


def _similarity(whole: Mapping[str, Any], *, name: str) -> Similarity:
    kind, wanted = whole.get("model_type"), whole.get("similarity_fn_name")
    if kind not in (None, "SentenceTransformer"):
        raise UnsupportedModelError(
            f"{name} is a {kind}, not a SentenceTransformer, and compares texts in its own way."
        )
    if wanted not in (None, *Similarity):
        raise UnsupportedModelError(
            f"{name} compares embeddings by {wanted!r}; known are {', '.join(Similarity)}."
        )
    return Similarity.COSINE if wanted is None else Similarity(wanted)


def _max_length(settings: dict[str, Any], *, name: str) -> int | None:
    """Where texts are cut; options of the Transformer that would change vectors are refused."""
    if settings.get("transformer_task", _TASK) != _TASK:
        raise UnsupportedModelError(
            f"{name} reads texts for {settings['transformer_task']!r}; known is {_TASK!r}."
        )
    for (old, new), harmless in _OPTIONS.items():
        options = settings.get(old) or settings.get(new) or {}
        if unknown := sorted(key for key in set(options) - harmless if options[key] is not None):
            raise UnsupportedModelError(
                f"{name} reads texts with {', '.join(map(repr, unknown))} (`{new}` of its "
                "settings), which is not done here."
            )
    modality = settings.get("modality_config") or {}
    output = modality.get("text", {}).get("method_output_name")
    asked = [one for one in _OF_SIDES if settings.get(one) is not None]
    if asked or output not in _READ:
        raise UnsupportedModelError(
            f"{name} has the setting {asked[0] if asked else output!r}, which changes its "
            "embeddings and is not known here."
        )
    tokenizer = settings.get("tokenizer_args") or settings.get("processor_kwargs") or {}
    if tokenizer.get("model_max_length") is not None:
        return _whole_number(tokenizer, "model_max_length", name=name)
    return _whole_number(settings, "max_seq_length", name=name)


def _whole_number(values: Mapping[str, Any], key: str, *, name: str) -> int | None:
    value = values.get(key)
    if value is not None and (type(value) is not int or value < 1):
        raise UnsupportedModelError(
            f"`{key}` of {name} must be a whole number of at least 1, got {value!r}."
        )
    return value


def _known(kind: str) -> str | None:
    """The name of a class of sentence-transformers; where in it the class lives has changed."""
    return kind.rpartition(".")[2] if kind.startswith("sentence_transformers.") else None


def _pooling(config: Mapping[str, Any], *, name: str) -> tuple[Pooling, ...]:
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


def _object(read: ReadText, path: str, *, name: str) -> dict[str, Any]:
    found = _json(read, path, name=name)
    if not isinstance(found, dict | None):
        raise UnsupportedModelError(f"{path} of {name} must be a JSON object, got {found!r}.")
    return found or {}


def _json(read: ReadText, path: str, *, name: str) -> Any:
    if (text := read(path)) is None:
        return None
    try:
        return parse_json(text)
    except ValueError as error:
        raise UnsupportedModelError(f"{path} of {name} is not valid JSON: {error}") from error
