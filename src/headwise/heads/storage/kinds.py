"""The kinds of heads: a row each that says how one is recognised, loaded and saved."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from headwise.choices import HEAD_TYPES, LAYERED_HEAD_TYPES, ONLY_LAST
from headwise.heads.entailment.abstention_head import AbstentionHead
from headwise.heads.entailment.embedding_heads import EmbeddingHead, LateInteractionHead
from headwise.heads.entailment.interaction_network import InteractionNetwork
from headwise.heads.entailment.nli_head import NLIHead
from headwise.heads.quality.biased_head import BiasedSigmoidHead, ContextualSigmoidHead
from headwise.heads.quality.error_head import ErrorHead
from headwise.heads.quality.rescaling_head import RescaledSigmoidHead, RescalingHead, TokenLogits
from headwise.heads.quality.shared_unembedding_head import SharedUnembeddingHead
from headwise.heads.quality.sigmoid_head import SigmoidHead
from headwise.heads.storage.files import FileNames, StoredWeights, model_type, read_config
from headwise.heads.storage.filling import filled, without_memory
from headwise.heads.storage.seed_file import SEED_FILE

TASK_MODEL_TYPE = "task_heads"
HUB_FILES = FileNames()
ERROR_FILES = FileNames(
    *(f"error_head.{end}" for end in ("json", "safetensors", "md", "png", "yaml"))
)
"""Names of an error head's files: config, weights, card, curves, run file."""


# What plain Transformers runs: files in `hub/`, which are also model types, and their models
HUB_CODE = {"sigmoid_head": "SigmoidHead", "shared_unembedding_head": "SharedUnembeddingHead"}


def has_sigmoid_head(folder: str | Path) -> bool:
    """Whether a folder holds a Sigmoid Head of any type, complete or not.

    Args:
        folder: The folder to look into.
    """
    folder = Path(folder)
    if not any((folder / name).is_file() for name in (HUB_FILES.config, HUB_FILES.weights)):
        return False
    return model_type(folder) in (*HUB_CODE, None)  # released ones need not say it


def has_error_head(folder: str | Path) -> bool:
    """Whether a folder holds an error head, complete or not.

    Args:
        folder: The folder to look into.
    """
    return any((Path(folder) / n).is_file() for n in (ERROR_FILES.config, ERROR_FILES.weights))


def is_task_heads(folder: str | Path) -> bool:
    """Whether a folder holds heads of an encoder, complete or not.

    Args:
        folder: The folder to look into.
    """
    folder = Path(folder)
    return (folder / SEED_FILE).is_file() or model_type(folder) == TASK_MODEL_TYPE


@dataclass(frozen=True, slots=True)
class HeadKind:
    """One kind of head, and what its files say of it.

    Attributes:
        name: What configs call it; of an encoder's head, its attribute in `TaskHeads`, or in
            that one's NLI head.
        head: Its class, whose constructor checks what it is given.
        sizes: Arguments of the constructor that weights tell: a matrix's name, and the dimension.
        settings: Arguments of the constructor that the config tells.
        usual: Those that a config leaves out where they have these values.
        tensors: Of a head whose file others share, how its tensors' names begin in the file, and
            in the module.
        optional: Whether all that ``tensors`` names may be missing.
        exact: Tensors that stay float32 in files of any type.
        reads_unembedding: Whether the constructor asks for the backbone's output layer.
        code: Which file of ``hub/`` applies it, of those in :data:`HUB_CODE`.
    """

    name: str
    head: type[nn.Module]
    sizes: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    usual: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False
    files: FileNames = HUB_FILES
    exact: tuple[str, ...] = ()
    reads_unembedding: bool = False
    code: str = "sigmoid_head"

    def arguments(self, weights: StoredWeights, config: Mapping[str, Any]) -> dict[str, Any]:
        """What the constructor was given; `KeyError` or `WeightsError` for what is missing."""
        stated = {name: config[name] for name in self.settings}
        stated |= {n: config[n] for n, v in self.usual.items() if config.get(n, v) != v}
        if self.optional and not weights.has(*self.tensors):
            return stated | dict.fromkeys(self.sizes)
        return stated | {
            name: weights.matrix(of).shape[at] for name, (of, at) in self.sizes.items()
        }


def _by_name(*kinds: HeadKind) -> dict[str, HeadKind]:
    return {kind.name: kind for kind in kinds}


_UNEMBEDDING = {"vocabulary_size": ("weight", 0), "hidden_size": ("weight", 1)}
_CONTEXT = {"context_size": ("context.0.weight", 0)}
_LAYERS = {"layers": ONLY_LAST, "layer_count": None, "layer_widths": None}

# A new head that scores tokens gets a row here; commands, training and storage follow from it
QUALITY_KINDS = _by_name(
    HeadKind(SigmoidHead.head_type, SigmoidHead, _UNEMBEDDING),
    HeadKind(BiasedSigmoidHead.head_type, BiasedSigmoidHead, _UNEMBEDDING),
    HeadKind(ContextualSigmoidHead.head_type, ContextualSigmoidHead, _UNEMBEDDING | _CONTEXT),
    HeadKind(RescalingHead.head_type, RescalingHead, reads_unembedding=True),
    HeadKind(RescaledSigmoidHead.head_type, RescaledSigmoidHead, _UNEMBEDDING),
    HeadKind(
        SharedUnembeddingHead.head_type,
        SharedUnembeddingHead,
        _CONTEXT,
        settings=("hidden_size", "rank"),
        usual=_LAYERS,
        exact=("context_mean", "context_spread"),
        reads_unembedding=True,
        code="shared_unembedding_head",
    ),
)
ERROR_KIND = HeadKind(
    ErrorHead.head_type,
    ErrorHead,
    settings=("hidden_size", "variant", "inner_size", "rank", "statistics"),
    usual=_LAYERS,
    files=ERROR_FILES,
    # Means of large inputs, whose digits matter
    exact=("mean", "scale"),
)

_NLI_FIRST, _ABSTENTION_FIRST = "nli_hidden.0.weight", "abstention_head.0.weight"
_PROJECTION = "nli_interaction.projection.1.weight"
_SECOND_FIRST = "second_hidden.0.weight"
_SECOND_PROJECTION = "second_interaction.projection.1.weight"

# The heads of one encoder share a file; names in it are those of the seed, heads side by side
TASK_KINDS = (
    HeadKind(
        "nli",
        NLIHead,
        {"input_size": (_NLI_FIRST, 1), "hidden_size": (_NLI_FIRST, 0)},
        tensors={"nli_hidden.": "nli.nli_hidden.", "nli_output.": "nli.nli_output."},
    ),
    # A part of the NLI head, which may lack it; so may the second one
    HeadKind(
        "interaction",
        InteractionNetwork,
        {"token_size": (_PROJECTION, 1), "inner_size": (_PROJECTION, 0)},
        tensors={"nli_interaction.": "nli.interaction."},
        optional=True,
    ),
    HeadKind(
        "second",
        NLIHead,
        {"input_size": (_SECOND_FIRST, 1), "hidden_size": (_SECOND_FIRST, 0)},
        tensors={"second_hidden.": "second.nli_hidden.", "second_output.": "second.nli_output."},
        optional=True,
    ),
    HeadKind(
        "second_interaction",
        InteractionNetwork,
        {"token_size": (_SECOND_PROJECTION, 1), "inner_size": (_SECOND_PROJECTION, 0)},
        tensors={"second_interaction.": "second.interaction."},
        optional=True,
    ),
    HeadKind(
        "abstention",
        AbstentionHead,
        {"inner_size": (_ABSTENTION_FIRST, 0)},
        settings=("hidden_size", "evidence_size", "corrects_odds"),
        tensors={"abstention_head.": "abstention.abstention_head."},
        optional=True,
    ),
    HeadKind(
        "embedding",
        EmbeddingHead,
        {"output_size": ("embedding_head.projection.weight", 0)},
        settings=("hidden_size", "normalise"),
        tensors={"embedding_head.": "embedding."},
        optional=True,
    ),
    HeadKind(
        "late_interaction",
        LateInteractionHead,
        {"output_size": ("late_interaction_head.projection.weight", 0)},
        settings=("hidden_size",),
        tensors={"late_interaction_head.": "late_interaction."},
        optional=True,
    ),
)

QualityHead = SigmoidHead | RescalingHead
"""Any head that scores tokens; those with an unembedding of their own are `SigmoidHead`s."""


def build_head(
    head_type: str,
    *,
    vocabulary_size: int,
    hidden_size: int,
    unembedding: Callable[[], TokenLogits],
    context_size: int = 64,
    rank: int = 0,
    layers: Sequence[int] = ONLY_LAST,
    layer_count: int | None = None,
    layer_widths: Sequence[int] | None = None,
) -> QualityHead:
    """Build a head in its first state.

    Args:
        head_type: One of :data:`HEAD_TYPES`.
        vocabulary_size: V; a head without an unembedding of its own does not need it.
        hidden_size: H; likewise.
        unembedding: Gives the backbone's output layer; called only for heads that rescale its
            logits, so that the others work with backbones whose logits nobody understands.
        context_size: Inner width of a contextual bias.
        rank: Of the correction of a head that shares the unembedding; 0 for none.
        layers: That such a head reads; see :class:`SharedUnembeddingHead`, also for what follows.
        layer_count: How many layers the model has.
        layer_widths: Widths of their hidden states.

    Raises:
        ValueError: If there is no such type, or it reads the last layer alone and others are named.
    """
    if head_type not in QUALITY_KINDS:
        raise ValueError(f"`head_type` must be one of {', '.join(HEAD_TYPES)}, got {head_type!r}.")
    kind = QUALITY_KINDS[head_type]
    if tuple(layers) != ONLY_LAST and head_type not in LAYERED_HEAD_TYPES:
        raise ValueError(
            f"A {head_type} reads the last layer alone, got the layers {list(layers)}; of other "
            f"layers, a {' or '.join(LAYERED_HEAD_TYPES)} reads one."
        )
    sizes = {
        "vocabulary_size": vocabulary_size,
        "hidden_size": hidden_size,
        "context_size": context_size,
        "rank": rank,
        "layers": layers,
        "layer_count": layer_count,
        "layer_widths": layer_widths,
    }
    given = {"unembedding": unembedding()} if kind.reads_unembedding else {}
    wanted = (*kind.sizes, *kind.settings, *kind.usual)
    head = kind.head(**{name: sizes[name] for name in wanted}, **given)
    assert isinstance(head, QualityHead)
    return head


def load_kind(kind: HeadKind, folder: Path, weights: StoredWeights, **given: Any) -> nn.Module:
    """Build a head that has files of its own, and fill it, in float32 and frozen.

    Raises:
        WeightsError: If config and weights are damaged or do not belong together, or the weights
            are not finite.
    """
    weights.check_numbers()
    config, path = read_config(folder, name=kind.files.config), folder / kind.files.config
    head = without_memory(
        lambda: kind.head(**kind.arguments(weights, config), **given), told_by=path
    )
    filled(head, weights.tensors, misfit=f"{weights.path} does not fit its {path.name}")
    return head.requires_grad_(False).eval()
