"""Sigmoid Head for plain Transformers: an unembedding whose scores are independent sigmoids.

Load with ``AutoModel.from_pretrained(folder, trust_remote_code=True)``, then call
``score(hidden)`` with the hidden states that enter the language model's output layer.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedConfig, PreTrainedModel

RESCALING = ("rescaling_head", "rescaled_unembedding_head")


class SigmoidHeadConfig(PreTrainedConfig):
    """Sizes and kind of a Sigmoid Head.

    Args:
        vocab_size: V, rows of the unembedding.
        hidden_size: H, width of the hidden states.
        head_type: ``new_unembedding_head``, the same with one bias (``biased_unembedding_head``)
            or with a bias for each position (``contextual_unembedding_head``),
            ``rescaling_head``, or ``rescaled_unembedding_head`` for a rescaled new unembedding.
        context_size: Inner width of the network behind the bias for each position.
        prompt: The prompt template that the head was trained with.
        backbone: Name of the frozen language model.
        kwargs (object): What every config of Transformers takes.
    """

    model_type = "sigmoid_head"

    def __init__(
        self,
        vocab_size: int = 0,
        hidden_size: int = 0,
        head_type: str = "new_unembedding_head",
        prompt: dict | None = None,
        backbone: str | None = None,
        context_size: int | None = None,
        **kwargs,
    ):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.head_type = head_type
        self.prompt = prompt
        self.backbone = backbone
        self.context_size = context_size
        super().__init__(**kwargs)


class SigmoidHead(PreTrainedModel):
    """Scores every token of the vocabulary on its own.

    Source: Dinh & Niehues 2026, arXiv 2601.00680; the heads with an unscaled bias are not the
    paper's.
    """

    config_class = SigmoidHeadConfig
    base_model_prefix = ""

    def __init__(self, config: SigmoidHeadConfig):
        super().__init__(config)
        if config.head_type != "rescaling_head":
            self.weight = nn.Parameter(torch.zeros(config.vocab_size, config.hidden_size))
        if config.head_type in RESCALING:
            self.scale = nn.Parameter(torch.ones(()))
        if config.head_type in (*RESCALING, "biased_unembedding_head"):
            self.bias = nn.Parameter(torch.zeros(()))
        if config.head_type == "contextual_unembedding_head":
            self.context = nn.Sequential(
                nn.Linear(config.hidden_size, config.context_size),
                nn.GELU(),
                nn.Linear(config.context_size, 1),
            )
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Nothing: the weights come from a file."""

    def score(self, hidden: Tensor) -> Tensor:
        """Score the whole vocabulary.

        Args:
            hidden: Hidden states, ``(..., H)``; for a ``rescaling_head``, which has no
                unembedding of its own, the language model's own logits, ``(..., V)``.

        Returns:
            Scores in (0, 1), ``(..., V)``, float32.
        """
        head_type, hidden = self.config.head_type, hidden.float()
        logits = hidden if head_type == "rescaling_head" else hidden @ self.weight.float().T
        if head_type in RESCALING:
            logits = self.scale.float() * logits
        if head_type in (*RESCALING, "biased_unembedding_head"):
            logits = logits + self.bias.float()
        if head_type == "contextual_unembedding_head":
            logits = logits + self._position_bias(hidden)
        return torch.sigmoid(logits)

    def _position_bias(self, hidden: Tensor) -> Tensor:
        """A bias for each position, ``(..., 1)``, in float32 whatever the file's type is."""
        first, _, last = self.context
        inner = F.gelu(F.linear(hidden, first.weight.float(), first.bias.float()))
        return F.linear(inner, last.weight.float(), last.bias.float())

    forward = score
