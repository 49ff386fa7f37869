from collections.abc import Callable, Iterator

import pytest
from tiny_models import CHATML, tiny_llama
from transformers import PreTrainedTokenizerFast

from headwise.backbones import (
    NAMED_PROMPTS,
    CausalBackbone,
    ChatPromptTemplate,
    EncodedPair,
    SequenceTemplate,
    TextTemplate,
    parse_prompt,
)
from headwise.errors import PromptBoundaryError, PromptError, TextError

TokenizerOf = Callable[[str], PreTrainedTokenizerFast]

# As Llama 3 has it: messages lose the spaces at their ends
TRIMMING = CHATML.replace("message['content']", "message['content'] | trim")
# As Qwen 3 has it: a finished answer gets something in front that the prompt lacks
THINKING = CHATML.replace(
    "{{ message['content'] }}",
    "{% if message['role'] == 'assistant' %}<think></think>{% endif %}{{ message['content'] }}",
)
# The prompt for generation ends in other words than the finished conversation has there
NO_PREFIX = CHATML.replace("<|im_start|>assistant\n{% endif %}", "<|im_start|>reply\n{% endif %}")
# Nothing separates the prompt from the answer
GLUED = CHATML.replace("<|im_start|>assistant\n{% endif %}", "<|im_start|>assistant\nE{% endif %}")
LOWER = CHATML.replace("message['content']", "message['content'] | lower")


@pytest.fixture
def tokenizer(tokenizer_of: TokenizerOf) -> Iterator[PreTrainedTokenizerFast]:
    tokenizer = tokenizer_of("byte-level")
    kept = tokenizer.chat_template
    yield tokenizer
    tokenizer.chat_template = kept


@pytest.fixture
def backbone(tokenizer: PreTrainedTokenizerFast) -> CausalBackbone:
    return CausalBackbone(tiny_llama(tokenizer, num_hidden_layers=1), tokenizer)


def texts(backbone: CausalBackbone, encoded: EncodedPair) -> tuple[str, str]:
    """What is given and what is scored, as text."""
    decode = backbone.tokenizer.decode
    return decode(encoded.input_ids[: encoded.first + 1]), decode(encoded.targets)


def test_tower_prompt_has_its_full_stop_and_its_leading_space(
    tokenizer: PreTrainedTokenizerFast, backbone: CausalBackbone
) -> None:
    (encoded,) = backbone.encode([("The cat sat.", "Die Katze.")], NAMED_PROMPTS["tower"])
    assert isinstance(encoded, EncodedPair)
    assert texts(backbone, encoded) == (
        "<|im_start|>user\nTranslate the following text from English into German.\n"
        "English: The cat sat..\nGerman: <|im_end|>\n<|im_start|>assistant\n",
        " Die Katze.<|im_end|>\n",
    )
    # The tokens are those of Transformers' own way from a conversation to ids
    request = "Translate the following text from English into German.\nEnglish: The cat sat.."
    conversation = [
        {"role": "user", "content": f"{request}\nGerman: "},
        {"role": "assistant", "content": " Die Katze."},
    ]
    whole = tokenizer.apply_chat_template(conversation, return_dict=True)["input_ids"]
    assert [*encoded.input_ids, encoded.targets[-1]] == whole


def test_variables_are_bound() -> None:
    tower = NAMED_PROMPTS["tower"].bind(target_language="French")
    assert tower.variables == {"source_language": "English", "target_language": "French"}
    assert NAMED_PROMPTS["tower"].variables["target_language"] == "German"
    with pytest.raises(PromptError, match="no variable language; it has source_language, target"):
        tower.bind(language="French")


def test_a_missing_variable_is_named(tokenizer: PreTrainedTokenizerFast) -> None:
    prompt = TextTemplate(prompt="To {language}: {source}")
    with pytest.raises(PromptError, match="needs a value for 'language'"):
        prompt.render_prompt(tokenizer, "A dog.")
    assert prompt.bind(language="German").render_prompt(tokenizer, "A dog.") == "To German: A dog."


def test_braces_in_texts_are_just_braces(backbone: CausalBackbone) -> None:
    for prompt in (NAMED_PROMPTS["tiny"], NAMED_PROMPTS["tower"]):
        (encoded,) = backbone.encode([("a {0} {source}", "{hypothesis} {}")], prompt)
        assert isinstance(encoded, EncodedPair)
        given, scored = texts(backbone, encoded)
        assert "a {0} {source}" in given
        assert scored.startswith(" {hypothesis} {}")


def test_a_source_must_be_given_where_the_prompt_shows_one(
    tokenizer: PreTrainedTokenizerFast, backbone: CausalBackbone
) -> None:
    (error,) = backbone.encode([(None, "Ein Hund.")], NAMED_PROMPTS["tiny"])
    assert isinstance(error, TextError)
    with pytest.raises(PromptError, match="or use the prompt 'raw'"):
        NAMED_PROMPTS["tiny"].render_prompt(tokenizer, None)
    (encoded,) = backbone.encode([(None, "Ein Hund.")], NAMED_PROMPTS["raw"])
    assert isinstance(encoded, EncodedPair)


def test_raw_begins_with_the_end_token_where_there_is_no_start_token(
    tokenizer: PreTrainedTokenizerFast, backbone: CausalBackbone
) -> None:
    kept = tokenizer.bos_token
    tokenizer.bos_token = None
    try:
        (encoded,) = backbone.encode([(None, "Ein Hund.")], NAMED_PROMPTS["raw"])
        assert isinstance(encoded, EncodedPair)
        assert texts(backbone, encoded) == ("</s>", "Ein Hund.")
        kept_eos, tokenizer.eos_token = tokenizer.eos_token, None
        with pytest.raises(PromptError, match=r"The prompt is empty.*\{bos\}"):
            backbone.encode([(None, "Ein Hund.")], NAMED_PROMPTS["raw"])
        tokenizer.eos_token = kept_eos
    finally:
        tokenizer.bos_token = kept


@pytest.mark.parametrize("hypothesis", ["Ein Hund.", " Ein Hund.", "Ein Hund. ", "\nEin Hund.\n "])
@pytest.mark.parametrize("prompt", ["tower", "chat"])
def test_a_template_that_trims_messages_changes_no_range(
    tokenizer: PreTrainedTokenizerFast, backbone: CausalBackbone, prompt: str, hypothesis: str
) -> None:
    tokenizer.chat_template = TRIMMING
    (encoded,) = backbone.encode([("A dog.", hypothesis)], NAMED_PROMPTS[prompt])
    assert isinstance(encoded, EncodedPair)
    given, scored = texts(backbone, encoded)
    assert given.endswith("<|im_start|>assistant\n")
    assert scored == "Ein Hund.<|im_end|>\n"
    covered = [hypothesis[a:b] for a, b in encoded.ranges]
    assert "".join(dict.fromkeys(covered)) == "EinHund."
    assert len(encoded.targets) == len(encoded.ranges) + 2


def test_what_the_template_puts_before_the_answer_is_not_scored(
    tokenizer: PreTrainedTokenizerFast, backbone: CausalBackbone
) -> None:
    tokenizer.chat_template = THINKING
    (encoded,) = backbone.encode([("A dog.", "Ein Hund.")], NAMED_PROMPTS["chat"])
    assert isinstance(encoded, EncodedPair)
    given, scored = texts(backbone, encoded)
    assert given.endswith("assistant\n<think></think>")
    assert scored == "Ein Hund.<|im_end|>\n"


def test_the_hypothesis_is_found_where_it_is_and_not_where_its_text_occurs_first(
    backbone: CausalBackbone,
) -> None:
    prompt = ChatPromptTemplate(user="{source}", assistant="a: {hypothesis}")
    (encoded,) = backbone.encode([("A dog.", "a")], prompt)
    assert isinstance(encoded, EncodedPair)
    assert texts(backbone, encoded)[1] == " a<|im_end|>\n"
    (encoded,) = backbone.encode([("Ein Hund.", "Ein Hund.")], NAMED_PROMPTS["chat"])
    assert isinstance(encoded, EncodedPair)
    given, scored = texts(backbone, encoded)
    assert (given.count("Ein Hund."), scored) == (1, "Ein Hund.<|im_end|>\n")


def test_a_template_that_changes_the_text_is_refused(
    tokenizer: PreTrainedTokenizerFast, backbone: CausalBackbone
) -> None:
    tokenizer.chat_template = LOWER
    with pytest.raises(PromptError, match="changes the hypothesis by more than the spaces"):
        backbone.encode([("A dog.", "Ein Hund.")], NAMED_PROMPTS["chat"])


def test_a_prompt_that_is_no_prefix_is_refused(
    tokenizer: PreTrainedTokenizerFast, backbone: CausalBackbone
) -> None:
    tokenizer.chat_template = NO_PREFIX
    with pytest.raises(PromptBoundaryError, match="not a prefix of the whole conversation"):
        backbone.encode([("A dog.", "Ein Hund.")], NAMED_PROMPTS["chat"])


def test_a_token_over_the_boundary_is_refused(backbone: CausalBackbone) -> None:
    prompt = TextTemplate(prompt="{source} E", completion="{hypothesis}")
    with pytest.raises(PromptBoundaryError, match=r"'Ein?' reaches over the end of the prompt"):
        backbone.encode([("A dog.", "in Hund.")], prompt)


def test_a_tokeniser_without_a_chat_template_is_refused(
    tokenizer: PreTrainedTokenizerFast, backbone: CausalBackbone
) -> None:
    tokenizer.chat_template = None
    with pytest.raises(PromptError, match="no chat template"):
        backbone.encode([("A dog.", "Ein Hund.")], NAMED_PROMPTS["chat"])


@pytest.mark.parametrize(
    "prompt",
    [
        TextTemplate(prompt="{source}", completion="the answer"),
        ChatPromptTemplate(user="{source}", assistant="the answer"),
    ],
)
def test_a_prompt_without_a_place_for_the_hypothesis_is_refused(
    backbone: CausalBackbone, prompt: TextTemplate | ChatPromptTemplate
) -> None:
    with pytest.raises(PromptError, match=r"must hold \{hypothesis\}"):
        backbone.encode([("A dog.", "Ein Hund.")], prompt)


def test_prompts_of_the_wrong_kind_are_refused(backbone: CausalBackbone) -> None:
    with pytest.raises(PromptError, match="for encoder-decoder models"):
        backbone.check_prompt(SequenceTemplate())


@pytest.mark.parametrize("name", NAMED_PROMPTS)
def test_prompts_are_data(name: str) -> None:
    prompt = parse_prompt(name)
    assert parse_prompt(prompt.model_dump()) == prompt
    assert parse_prompt(prompt) is prompt


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("towr", "no prompt named 'towr'; choose from tower, tiny"),
        ({"kind": "text"}, "not a prompt template"),
        ({"kind": "poem", "prompt": ""}, "not a prompt template"),
        ({"kind": "text", "prompt": "", "colour": "red"}, "not a prompt template"),
        ({}, "not a prompt template"),
    ],
)
def test_what_is_no_prompt_is_refused(prompt: str | dict[str, str], message: str) -> None:
    with pytest.raises(PromptError, match=message):
        parse_prompt(prompt)
