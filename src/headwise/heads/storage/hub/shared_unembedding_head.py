"""A Sigmoid Head that shares the language model's output layer, for plain Transformers.

Load with ``AutoModel.from_pretrained(folder, trust_remote_code=True)``, then call
``score(model(..., output_hidden_states=True).hidden_states, model.lm_head)``.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedConfig, PreTrainedModel


class SharedUnembeddingHeadConfig(PreTrainedConfig):
    """Sizes of the head.

    Args:
        hidden_size: H, width of the hidden states.
        context_size: Inner width of the network behind the threshold of each position.
        rank: R, of the correction of the hidden states; 0 for none.
        layers: Entries of the model's ``hidden_states`` that are read: the last, -1, and after it
            the one that the threshold of a position comes from if that is another.
        layer_count: How many layers the model has, so that there is one entry more; ``None`` where
            the last alone is read.
        layer_widths: Widths of these hidden states; ``None`` where all are H.
        head_type: ``shared_unembedding_head``.
        prompt: The prompt template that the head was trained with.
        backbone: Name of the frozen language model.
    """

    model_type = "shared_unembedding_head"

    def __init__(
        self,
        hidden_size: int = 0,
        context_size: int = 0,
        rank: int = 0,
        layers: Sequence[int] = (-1,),
        layer_count: int | None = None,
        layer_widths: Sequence[int] | None = None,
        head_type: str = "shared_unembedding_head",
        prompt: dict | None = None,
        backbone: str | None = None,
        **kwargs,
    ):
        self.hidden_size = hidden_size
        self.context_size = context_size
        self.rank = rank
        self.layers = list(layers)
        self.layer_count = layer_count
        self.layer_widths = layer_widths
        self.head_type = head_type
        self.prompt = prompt
        self.backbone = backbone
        super().__init__(**kwargs)


class SharedUnembeddingHead(PreTrainedModel):
    """Scores every token of the vocabulary on its own, with the language model's own logits."""

    config_class = SharedUnembeddingHeadConfig
    base_model_prefix = ""
    # Means of large inputs, whose digits matter
    _keep_in_fp32_modules_strict = ("context_mean", "context_spread")

    def __init__(self, config: SharedUnembeddingHeadConfig):
        super().__init__(config)
        self.scale = nn.Parameter(torch.ones(()))
        self.bias = nn.Parameter(torch.zeros(()))
        width = (config.layer_widths or [config.hidden_size])[-1]
        if len(config.layers) > 1:
            self.register_buffer("context_mean", torch.zeros(width))
            self.register_buffer("context_spread", torch.ones(width))
        self.context = nn.Sequential(
            nn.Linear(width, config.context_size),
            nn.GELU(),
            nn.Linear(config.context_size, 1),
        )
        if config.rank:
            self.reduce = nn.Linear(config.hidden_size, config.rank, bias=False)
            self.expand = nn.Linear(config.rank, config.hidden_size, bias=False)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Nothing: the weights come from a file."""

    def score(
        self, hidden: Tensor | Sequence[Tensor], output_layer: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """Score the whole vocabulary.

        Args:
            hidden: The model's ``hidden_states``, those of all layers, ``(..., H)`` each; or those
                of the head's ``layers`` as one tensor, side by side in the last dimension.
            output_layer: From hidden states to the language model's logits, ``(..., V)``: its
                output layer, with what the model does to the logits besides, if it does.

        Returns:
            Scores in (0, 1), ``(..., V)``, float32.
        """
        hidden, read = self._parts(hidden)
        first, _, last = self.context
        inner = F.gelu(_linear(first, read))
        threshold = _linear(last, inner) + self.bias.float()  # (..., 1)
        if self.config.rank:
            hidden = hidden + _linear(self.expand, _linear(self.reduce, hidden))
        logits = output_layer(hidden.to(_dtype(output_layer))).float()
        return torch.sigmoid(self.scale.float() * logits + threshold)

    forward = score

    def _parts(self, hidden: Tensor | Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """What enters the output layer and what the threshold comes from, in float32."""
        config = self.config
        if isinstance(hidden, Tensor):
            hidden = hidden.float()
            parts = hidden.split(config.layer_widths or config.hidden_size, dim=-1)
            return self._standardised(parts[0], parts[-1])
        if config.layer_count is not None and len(hidden) != config.layer_count + 1:
            raise ValueError(
                f"The head belongs to a model of {config.layer_count} layers, whose hidden_states "
                f"are {config.layer_count + 1}, got {len(hidden)}."
            )
        return self._standardised(hidden[-1].float(), hidden[config.layers[-1]].float())

    def _standardised(self, last: Tensor, read: Tensor) -> tuple[Tensor, Tensor]:
        if len(self.config.layers) > 1:
            read = (read - self.context_mean.float()) / self.context_spread.float()
        return last, read


def _linear(layer: nn.Linear, inputs: Tensor) -> Tensor:
    """Apply a layer in float32, whatever the file's type is."""
    bias = None if layer.bias is None else layer.bias.float()
    return F.linear(inputs, layer.weight.float(), bias)


def _dtype(output_layer: Callable[[Tensor], Tensor]) -> torch.dtype:
    """The type that an output layer computes in, if it tells."""
    return getattr(getattr(output_layer, "weight", None), "dtype", torch.float32)
