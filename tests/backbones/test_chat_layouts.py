"""Chat templates as well-known families have them: where prompts end, and what is scored."""

from collections.abc import Callable, Iterator

import pytest
from tiny_models import CHATML, tiny_llama
from transformers import PreTrainedTokenizerFast

from headwise.backbones import (
    NAMED_PROMPTS,
    CausalBackbone,
    ChatPromptTemplate,
    EncodedPair,
    PromptTemplate,
)
from headwise.errors import ChatTemplateError, PromptError

TokenizerOf = Callable[[str], PreTrainedTokenizerFast]

INST = "{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content | trim }} [/INST]"
REASONING = (
    "{%- for m in messages %}{%- if m.role == 'assistant' %}"
    "{%- set content = m.content %}{%- set thought = '' %}"
    "{%- if '</think>' in content %}"
    "{%- set thought = content.split('</think>')[0].split('<think>')[-1].strip('\n') %}"
    "{%- set content = content.split('</think>')[-1].lstrip('\n') %}{%- endif %}"
    "{{- '<|im_start|>assistant\n' }}"
    "{%- if loop.last or thought %}{{- '<think>\n' + thought + '\n</think>\n\n' }}{%- endif %}"
    "{{- content + '<|im_end|>\n' }}"
    "{%- else %}{{- '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{%- endif %}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"
)
# Of each layout: the template, what is given, and what is scored after it
LAYOUTS = {
    "llama 2": (
        "{{ bos_token }}" + INST + "{% else %}{{ ' ' + m.content | trim + ' ' + eos_token }}"
        "{% endif %}{% endfor %}",
        "<s>[INST] A dog. [/INST]",
        " Ein Hund. </s>",
    ),
    "mistral": (
        "{{ bos_token }}" + INST + "{% else %} {{ m.content }}{{ eos_token }}{% endif %}"
        "{% endfor %}",
        "<s>[INST] A dog. [/INST]",
        " Ein Hund.</s>",
    ),
    "vicuna": (
        "{% for m in messages %}{% if m.role == 'user' %}USER: {{ m.content }} {% else %}"
        "ASSISTANT: {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}ASSISTANT:{% endif %}",
        "USER: A dog. ASSISTANT:",
        " Ein Hund.</s>",
    ),
    "a prompt that ends in a space": (
        "{% for m in messages %}{% if m.role == 'user' %}User: {{ m.content }}\n{% else %}"
        "Answer: {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}Answer: {% endif %}",
        "User: A dog.\nAnswer:",
        " Ein Hund.</s>",
    ),
    "chatml": (
        CHATML,
        "<|im_start|>user\nA dog.<|im_end|>\n<|im_start|>assistant\n",
        "Ein Hund.<|im_end|>\n",
    ),
    "gemma": (
        "{{ bos_token }}{% if messages[0].role == 'system' %}"
        "{{ raise_exception('System role not supported') }}{% endif %}"
        "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('Roles must alternate') }}{% endif %}"
        "<start>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content | trim }}<end>\n"
        "{% endfor %}{% if add_generation_prompt %}<start>model\n{% endif %}",
        "<s><start>user\nA dog.<end>\n<start>model\n",
        "Ein Hund.<end>\n",
    ),
    "qwen 3": (
        REASONING,
        "<|im_start|>user\nA dog.<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
        "Ein Hund.<|im_end|>\n",
    ),
    "qwen 3, thinking only": (
        REASONING.replace(
            "add_generation_prompt %}{{- '<|im_start|>assistant\n'",
            "add_generation_prompt %}{{- '<|im_start|>assistant\n<think>\n'",
        ),
        "<|im_start|>user\nA dog.<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
        "Ein Hund.<|im_end|>\n",
    ),
    "deepseek r1": (
        "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}<|User|>{{ m.content }}"
        "{% else %}<|Assistant|>{{ m.content.split('</think>')[-1] }}{{ eos_token }}{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}<|Assistant|><think>\n{% endif %}",
        "<s><|User|>A dog.<|Assistant|>",
        "Ein Hund.</s>",
    ),
    "phi 3": (
        "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>\n{% else %}{{ eos_token }}{% endif %}",
        "<|user|>\nA dog.<|end|>\n<|assistant|>\n",
        "Ein Hund.<|end|>\n</s>",
    ),
    "llama 3": (
        "{{ bos_token }}{% for m in messages %}<|h|>{{ m.role }}<|/h|>\n\n"
        "{{ m.content | trim }}<|eot|>{% endfor %}"
        "{% if add_generation_prompt %}<|h|>assistant<|/h|>\n\n{% endif %}",
        "<s><|h|>user<|/h|>\n\nA dog.<|eot|><|h|>assistant<|/h|>\n\n",
        "Ein Hund.<|eot|>",
    ),
    "gpt-oss": (
        "{% for m in messages %}<|start|>{{ m.role }}{% if m.role == 'assistant' %}<|channel|>final"
        "{% endif %}<|message|>{{ m.content }}<|end|>{% endfor %}"
        "{% if add_generation_prompt %}<|start|>assistant{% endif %}",
        "<|start|>user<|message|>A dog.<|end|><|start|>assistant<|channel|>final<|message|>",
        "Ein Hund.<|end|>",
    ),
}


@pytest.fixture(params=["byte-level", "llama2-normaliser", "llama2-metaspace", "unigram"])
def backbone(request: pytest.FixtureRequest, tokenizer_of: TokenizerOf) -> Iterator[CausalBackbone]:
    tokenizer = tokenizer_of(request.param)
    kept = tokenizer.chat_template
    yield CausalBackbone(tiny_llama(tokenizer, num_hidden_layers=1), tokenizer)
    tokenizer.chat_template = kept


@pytest.fixture
def byte_level(tokenizer_of: TokenizerOf) -> Iterator[CausalBackbone]:
    tokenizer = tokenizer_of("byte-level")
    kept = tokenizer.chat_template
    yield CausalBackbone(tiny_llama(tokenizer, num_hidden_layers=1), tokenizer)
    tokenizer.chat_template = kept


def encode(
    backbone: CausalBackbone, hypothesis: str, prompt: PromptTemplate = NAMED_PROMPTS["chat"]
) -> EncodedPair:
    (encoded,) = backbone.encode([("A dog.", hypothesis)], prompt)
    assert isinstance(encoded, EncodedPair), encoded
    return encoded


def ids_of(backbone: CausalBackbone, text: str) -> list[int]:
    ids: list[int] = backbone.tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_work_out_of_the_box(backbone: CausalBackbone, layout: str) -> None:
    template, given, scored = LAYOUTS[layout]
    backbone.tokenizer.chat_template = template
    encoded = encode(backbone, "Ein Hund.")
    # The prompt's tokens are those of its own text, and generation begins with them
    assert list(encoded.input_ids[: encoded.first + 1]) == ids_of(backbone, given)
    read = backbone.encode_prompt("A dog.", NAMED_PROMPTS["chat"])["input_ids"][0].tolist()
    assert read == ids_of(backbone, given)
    whole = ids_of(backbone, given + scored)
    assert [*encoded.input_ids, encoded.targets[-1]] == whole
    words = [(a, b) for a, b in encoded.ranges if a < b]
    assert "".join("Ein Hund."[a:b] for a, b in words).replace(" ", "") == "EinHund."


@pytest.mark.parametrize("answer", ["in", "i", "think", "<", "assistant", "\\n", "Ein\n\nHund"])
@pytest.mark.parametrize("layout", ["qwen 3", "deepseek r1", "chatml", "gpt-oss", "llama 2"])
def test_an_answer_that_stands_in_the_template_too_is_the_last_one(
    byte_level: CausalBackbone, layout: str, answer: str
) -> None:
    template, given, _ = LAYOUTS[layout]
    byte_level.tokenizer.chat_template = template
    encoded = encode(byte_level, answer)
    decode = byte_level.tokenizer.decode
    assert decode(encoded.input_ids[: encoded.first + 1]) == given
    assert decode(encoded.targets[: len(encoded.ranges)]).strip() == answer


def test_an_answer_with_its_own_reasoning_stands_where_generation_begins(
    byte_level: CausalBackbone,
) -> None:
    byte_level.tokenizer.chat_template = REASONING
    answer = "<think>\nA dog\n</think>\n\nEin Hund."
    encoded = encode(byte_level, answer)
    decode = byte_level.tokenizer.decode
    assert decode(encoded.input_ids[: encoded.first + 1]).endswith("<|im_start|>assistant\n")
    assert decode(encoded.targets[: len(encoded.ranges)]) == answer


@pytest.mark.parametrize(
    ("template", "good", "bad"),
    [
        (CHATML.replace("message['content']", "message['content'] | e"), "Tee", "Tee & <b>"),
        (CHATML.replace("message['content']", "message['content'] | upper"), "TEE", "Tee"),
        (LAYOUTS["deepseek r1"][0], "Tee", "<think>Hm</think>Tee"),
        (CHATML.replace("message['content']", "message['content'] | title"), "Ein Tee", "ein tee"),
        (CHATML.replace("message['content']", "message['content'][:9]"), "Tee", "Tee " * 9),
        (
            "{% if messages[-1].content == 'Tee' %}{{ raise_exception('no tea') }}"
            "{% endif %}" + CHATML,
            "Hund",
            "Tee",
        ),
    ],
    ids=["escape", "upper", "reasoning", "title", "cut", "refused"],
)
def test_what_a_template_changes_or_refuses_is_an_error_of_its_row(
    byte_level: CausalBackbone, template: str, good: str, bad: str
) -> None:
    byte_level.tokenizer.chat_template = template
    pairs = [("A dog.", good), ("A dog.", bad), ("A dog.", good)]
    first, refused, last = byte_level.encode(pairs, NAMED_PROMPTS["chat"])
    assert isinstance(first, EncodedPair)
    assert first == last
    assert isinstance(refused, ChatTemplateError)


@pytest.mark.parametrize(
    ("roles", "reason"),
    [
        (("system", "user"), "System role not supported"),
        (("user", "user"), "Roles must alternate"),
        (("user", "assistant", "user"), None),
    ],
)
def test_a_conversation_that_the_template_refuses_is_an_error_of_its_row(
    byte_level: CausalBackbone, roles: tuple[str, ...], reason: str | None
) -> None:
    byte_level.tokenizer.chat_template = LAYOUTS["gemma"][0]
    source = tuple({"role": role, "content": "A dog."} for role in roles)
    (result,) = byte_level.encode([(source, "Ein Hund.")], NAMED_PROMPTS["chat"])
    if reason is None:
        assert isinstance(result, EncodedPair)
    else:
        assert isinstance(result, ChatTemplateError)
        assert reason in str(result)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (CHATML.replace("message['content']", "'answer'"), "shows an answer 0 times"),
        (CHATML.replace("message['content']", "message['content'] * 2"), "an answer 2 times"),
        ("{{ messages[9].content }}", "refuses this conversation"),
    ],
)
def test_templates_that_hide_the_answer_are_refused(
    byte_level: CausalBackbone, template: str, message: str
) -> None:
    byte_level.tokenizer.chat_template = template
    (refused,) = byte_level.encode([("A dog.", "Tee")], NAMED_PROMPTS["chat"])
    assert isinstance(refused, ChatTemplateError)
    assert message in str(refused)


def test_a_damaged_template_stops_the_job(byte_level: CausalBackbone) -> None:
    byte_level.tokenizer.chat_template = "{% if messages %}"
    with pytest.raises(PromptError, match="chat template is damaged") as caught:
        byte_level.encode([("A dog.", "Tee")], NAMED_PROMPTS["chat"])
    assert not isinstance(caught.value, ChatTemplateError)


def test_words_before_the_hypothesis_are_given_to_generation_too(
    byte_level: CausalBackbone,
) -> None:
    byte_level.tokenizer.chat_template = CHATML
    prompt = ChatPromptTemplate(user="{source}", assistant="German: {hypothesis}")
    encoded = encode(byte_level, "Ein Hund.", prompt)
    given = byte_level.encode_prompt("A dog.", prompt)["input_ids"][0].tolist()
    assert list(encoded.input_ids[: encoded.first + 1]) == given
    assert byte_level.tokenizer.decode(given).endswith("assistant\nGerman:")


def test_a_template_without_a_place_for_the_source_is_refused(byte_level: CausalBackbone) -> None:
    byte_level.tokenizer.chat_template = (
        "{% for m in messages %}{% if m.role == 'assistant' %}{{ m.content }}</s>{% endif %}"
        "{% endfor %}"
    )
    with pytest.raises(PromptError, match="leaves the user's message out"):
        byte_level.check_prompt(NAMED_PROMPTS["chat"])
    # One that refuses a conversation does so row by row
    byte_level.tokenizer.chat_template = "{{ raise_exception('no') }}"
    byte_level.check_prompt(NAMED_PROMPTS["chat"])
