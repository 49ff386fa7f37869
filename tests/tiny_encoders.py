"""Tiny random encoders of several architectures, with tokenisers in their layouts."""

from typing import Any

import torch
from tiny_models import corpus
from tokenizers import (
    Tokenizer,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import (
    BertConfig,
    BertModel,
    DebertaV2Config,
    DebertaV2Model,
    DistilBertConfig,
    DistilBertModel,
    ModernBertConfig,
    ModernBertModel,
    MPNetConfig,
    MPNetModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

HIDDEN, POSITIONS = 32, 64

_SIZES = {
    "hidden_size": HIDDEN,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    # Large, so that attention tells tokens and their order apart
    "initializer_range": 0.3,
}


def bert_tokenizer(*, types: bool = True) -> PreTrainedTokenizerFast:
    """WordPiece in lower case; ``[CLS] a [SEP] b [SEP]``, types 0 and 1; padding has id 0."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    clean, split = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    texts = [clean.normalize_str(text) for text in corpus()]
    characters = sorted(set("".join(texts)) - {" "})
    # Not learned: ties make the trainer's vocabulary another one every time
    words = sorted({word for text in texts for word, _ in split.pre_tokenize_str(text)})
    pieces = dict.fromkeys([*special, *characters, *(f"##{c}" for c in characters), *words])
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = clean, split
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    names = ["input_ids", "token_type_ids", "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=names if types else [names[0], names[2]],
    )


def roberta_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level; ``<s> a </s></s> b </s>`` without types; padding has id 1."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(
        corpus(),
        trainers.BpeTrainer(
            vocab_size=350,
            special_tokens=special,
            initial_alphabet=alphabet,
            show_progress=False,
        ),
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        cls_token="<s>",
        sep_token="</s>",
        mask_token="<mask>",
        model_input_names=["input_ids", "attention_mask"],
    )


def _model(name: str, tokenizer: PreTrainedTokenizerFast) -> PreTrainedModel:
    shared: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "max_position_embeddings": POSITIONS,
    }
    match name:
        case "bert":
            return BertModel(BertConfig(**shared, **_SIZES))
        case "roberta":
            return RobertaModel(RobertaConfig(**shared, **_SIZES, type_vocab_size=1))
        case "xlm-roberta":
            return XLMRobertaModel(XLMRobertaConfig(**shared, **_SIZES, type_vocab_size=1))
        case "mpnet":
            return MPNetModel(MPNetConfig(**shared, **_SIZES))
        case "deberta-v3":
            return DebertaV2Model(
                DebertaV2Config(
                    **shared,
                    **_SIZES,
                    type_vocab_size=0,
                    relative_attention=True,
                    position_buckets=16,
                    norm_rel_ebd="layer_norm",
                    share_att_key=True,
                    pos_att_type=["p2c", "c2p"],
                    position_biased_input=False,
                )
            )
        case "distilbert":
            return DistilBertModel(
                DistilBertConfig(**shared, dim=HIDDEN, hidden_dim=48, n_layers=2, n_heads=4)
            )
        case "modernbert":
            special = {
                "bos_token_id": 2,
                "cls_token_id": 2,
                "eos_token_id": 3,
                "sep_token_id": 3,
            }
            return ModernBertModel(ModernBertConfig(**shared, **_SIZES, **special))
    raise ValueError(name)


ENCODERS = ("bert", "roberta", "xlm-roberta", "mpnet", "deberta-v3", "distilbert", "modernbert")
# They count positions from one after the padding's id
COUNT_FROM_PADDING = ("roberta", "xlm-roberta", "mpnet")


def tiny_encoder(name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """A random encoder of an architecture, and its tokeniser."""
    if name in COUNT_FROM_PADDING:
        tokenizer = roberta_tokenizer()
    else:
        tokenizer = bert_tokenizer(types=name in ("bert", "deberta-v3"))
    torch.manual_seed(0)
    return _model(name, tokenizer).eval(), tokenizer
