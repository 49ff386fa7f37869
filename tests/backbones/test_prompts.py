import re
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
from headwise.choices import PROMPT_NAMES
from headwise.errors import ChatTemplateError, PromptBoundaryError, PromptError, TextError

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
    refused, kept = backbone.encode(
        [("A dog.", "Ein Hund."), ("A dog.", "ein hund.")], NAMED_PROMPTS["chat"]
    )
    assert isinstance(refused, ChatTemplateError)
    assert "changes the hypothesis by more than the spaces" in str(refused)
    assert isinstance(kept, EncodedPair)


def test_a_prompt_that_is_no_prefix_is_refused(
    tokenizer: PreTrainedTokenizerFast, backbone: CausalBackbone
) -> None:
    tokenizer.chat_template = NO_PREFIX
    (refused,) = backbone.encode([("A dog.", "Ein Hund.")], NAMED_PROMPTS["chat"])
    assert isinstance(refused, PromptBoundaryError)
    assert "not a prefix of the whole conversation" in str(refused)


def test_a_token_over_the_boundary_is_refused(backbone: CausalBackbone) -> None:
    prompt = TextTemplate(prompt="{source} E", completion="{hypothesis}")
    refused, kept = backbone.encode([("A dog.", "in Hund."), ("A dog.", ": Hund.")], prompt)
    assert isinstance(refused, PromptBoundaryError)
    assert re.search(r"'Ein?' reaches over the end of the prompt", str(refused))
    assert isinstance(kept, EncodedPair)


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
        ("towr", "no prompt named 'towr'; choose from translate, "),
        ({"kind": "text"}, "not a prompt template"),
        ({"kind": "poem", "prompt": ""}, "not a prompt template"),
        ({"kind": "text", "prompt": "", "colour": "red"}, "not a prompt template"),
        ({}, "not a prompt template"),
    ],
)
def test_what_is_no_prompt_is_refused(prompt: str | dict[str, str], message: str) -> None:
    with pytest.raises(PromptError, match=message):
        parse_prompt(prompt)


def test_the_names_of_prompts_are_those_that_options_list() -> None:
    assert tuple(NAMED_PROMPTS) == PROMPT_NAMES


@pytest.mark.parametrize(
    ("name", "variables", "given", "scored"),
    [
        (
            "translate",
            {"source_language": "English", "target_language": "Czech"},
            "<s>Translate from English into Czech.\nEnglish: A dog.\nCzech:",
            " Pes.\n",
        ),
        ("question", {}, "<s>Question: A dog.\nAnswer:", " Pes.\n"),
        ("summarise", {}, "<s>Text: A dog.\nSummary:", " Pes.\n"),
        ("continue", {}, "<s>A dog.", " Pes."),
        (
            "chat-translate",
            {"source_language": "English", "target_language": "Czech"},
            "<|im_start|>user\nTranslate the following text from English into Czech. Answer with "
            "the translation alone.\n\nA dog.<|im_end|>\n<|im_start|>assistant\n",
            "Pes.<|im_end|>\n",
        ),
    ],
)
def test_prompts_of_tasks(
    backbone: CausalBackbone, name: str, variables: dict[str, str], given: str, scored: str
) -> None:
    prompt = parse_prompt(name)
    if variables:
        with pytest.raises(PromptError, match=r"needs a value for .* --prompt-variable source"):
            backbone.check_prompt(prompt)
    bound = prompt.bind(**variables)
    backbone.check_prompt(bound)
    (encoded,) = backbone.encode([("A dog.", "Pes.")], bound)
    assert isinstance(encoded, EncodedPair)
    assert texts(backbone, encoded) == (given, scored)
    assert bound.resolved(backbone.tokenizer) == (given + scored).replace(
        "A dog.", "{source}"
    ).replace("Pes.", "{hypothesis}")


def test_a_source_that_the_prompt_does_not_show_is_refused(backbone: CausalBackbone) -> None:
    for prompt in (NAMED_PROMPTS["raw"], ChatPromptTemplate(user="Say something.")):
        with pytest.raises(PromptError, match=r"does not show the source.* --prompt question"):
            backbone.encode([("A dog.", "Ein Hund.")], prompt)
        with pytest.raises(PromptError, match="does not show the source"):
            backbone.encode_prompt("A dog.", prompt)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prompt": "{source.nope}"}, "plain name"),
        ({"prompt": "{source[0]}"}, "plain name"),
        ({"prompt": "{source!r}"}, "plain name"),
        ({"prompt": "{source:>9}"}, "plain name"),
        ({"prompt": "{0}"}, "plain name"),
        ({"prompt": "{}"}, "plain name"),
        ({"prompt": "{source"}, "braces that do not pair"),
        ({"prompt": "source}"}, "braces that do not pair"),
        ({"end": "{"}, "braces that do not pair"),
        ({"prompt": "{source} {hypothesis}"}, "in no other field than its own"),
        ({"completion": "{hypothesis} {hypothesis}"}, "once"),
        ({"prompt": "To {language}: {source}"}, "needs a value for 'language'"),
        ({"end": "\ud800"}, "lone surrogate"),
        ({"prompt": "{l}{source}", "variables": {"l": "\udc80"}}, "lone surrogate"),
    ],
)
def test_templates_that_lay_out_no_pair_are_refused(
    backbone: CausalBackbone, changes: dict[str, str], message: str
) -> None:
    prompt = TextTemplate(prompt="{source}").model_copy(update=changes)
    with pytest.raises(PromptError, match=message):
        backbone.check_prompt(prompt)


def test_doubled_braces_are_text(backbone: CausalBackbone) -> None:
    prompt = TextTemplate(prompt='{{"q": "{source}"}}', completion="{hypothesis}")
    backbone.check_prompt(prompt)
    assert prompt.render_prompt(backbone.tokenizer, "A {dog}") == '{"q": "A {dog}"}'


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": None},
        {"role": "user", "content": "\ud800"},
        {"role": "\ud800", "content": "A dog."},
        {"role": None, "content": "A dog."},
        {"content": "A dog."},
    ],
)
def test_messages_that_cannot_be_read_reject_their_row(
    backbone: CausalBackbone, message: dict[str, str]
) -> None:
    pairs = [((message,), "Ein Hund."), ("A dog.", "Ein Hund.")]
    refused, kept = backbone.encode(pairs, NAMED_PROMPTS["chat"])
    assert isinstance(refused, TextError)
    assert isinstance(kept, EncodedPair)
