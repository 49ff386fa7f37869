"""Sigmoid Head for plain Transformers: an unembedding whose scores are independent sigmoids.

Load with ``AutoModel.from_pretrained(folder, trust_remote_code=True)``, then call
``score(hidden)`` with the hidden states that enter the language model's output layer.
"""

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel


class SigmoidHeadConfig(PreTrainedConfig):
    """Sizes and kind of a Sigmoid Head.

    Args:
        vocab_size: V, rows of the unembedding.
        hidden_size: H, width of the hidden states.
        head_type: ``new_unembedding_head``, ``rescaling_head``, or ``rescaled_unembedding_head``
            for both together.
        prompt: The prompt template that the head was trained with.
        backbone: Name of the frozen language model.
    """

    model_type = "sigmoid_head"

    def __init__(
        self,
        vocab_size: int = 0,
        hidden_size: int = 0,
        head_type: str = "new_unembedding_head",
        prompt: dict | None = None,
        backbone: str | None = None,
        **kwargs,
    ):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.head_type = head_type
        self.prompt = prompt
        self.backbone = backbone
        super().__init__(**kwargs)


class SigmoidHead(PreTrainedModel):
    """Scores every token of the vocabulary on its own.

    Source: Dinh & Niehues 2026, arXiv 2601.00680.
    """

    config_class = SigmoidHeadConfig
    base_model_prefix = ""

    def __init__(self, config: SigmoidHeadConfig):
        super().__init__(config)
        if config.head_type != "rescaling_head":
            self.weight = nn.Parameter(torch.zeros(config.vocab_size, config.hidden_size))
        if config.head_type != "new_unembedding_head":
            self.scale = nn.Parameter(torch.ones(()))
            self.bias = nn.Parameter(torch.zeros(()))
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
        logits = hidden.float()
        if self.config.head_type != "rescaling_head":
            logits = logits @ self.weight.float().T
        if self.config.head_type != "new_unembedding_head":
            logits = self.scale.float() * logits + self.bias.float()
        return torch.sigmoid(logits)

    forward = score
