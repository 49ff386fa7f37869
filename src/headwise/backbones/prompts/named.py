"""Prompts by name, for single models and for tasks, and how a prompt is read."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from headwise.backbones.prompts.templates import (
    ChatPromptTemplate,
    PromptTemplate,
    SequenceTemplate,
    TextTemplate,
)
from headwise.errors import PromptError

_ADAPTER: TypeAdapter[Any] = TypeAdapter(PromptTemplate)

NAMED_PROMPTS: dict[str, TextTemplate | ChatPromptTemplate | SequenceTemplate] = {
    # Plain layouts that a model without a chat template goes on with; a line is an answer
    "translate": TextTemplate(
        prompt=(
            "{bos}Translate from {source_language} into {target_language}.\n"
            "{source_language}: {source}\n{target_language}:"
        ),
        completion=" {hypothesis}",
        end="\n",
    ),
    # Texts of two languages as the web has them: for models that were never told what a task is
    "bilingual": TextTemplate(
        prompt="{bos}{source_language}: {source}\n{target_language}:",
        completion=" {hypothesis}",
        end="\n",
    ),
    "question": TextTemplate(
        prompt="{bos}Question: {source}\nAnswer:", completion=" {hypothesis}", end="\n"
    ),
    "summarise": TextTemplate(
        prompt="{bos}Text: {source}\nSummary:", completion=" {hypothesis}", end="\n"
    ),
    # What an answer may say stands in its context, and nothing else does
    "grounded": TextTemplate(
        prompt="{bos}Context: {source}\n\nAnswer:", completion=" {hypothesis}", end="\n"
    ),
    "continue": TextTemplate(prompt="{bos}{source}", completion=" {hypothesis}"),
    # The same with a chat template
    "chat": ChatPromptTemplate(user="{source}"),
    "chat-translate": ChatPromptTemplate(
        user=(
            "Translate the following text from {source_language} into {target_language}. "
            "Answer with the translation alone.\n\n{source}"
        )
    ),
    "chat-grounded": ChatPromptTemplate(
        user=("Answer with what the following context says, and nothing else.\n\nContext: {source}")
    ),
    # The prompt of the released Tower head: a full stop after the source, a space before the
    # hypothesis (model card of tuanh23/SigmoidHead-TowerInstruct-7B-v0.2)
    "tower": ChatPromptTemplate(
        user=(
            "Translate the following text from {source_language} into {target_language}.\n"
            "{source_language}: {source}.\n{target_language}: "
        ),
        assistant=" {hypothesis}",
        variables={"source_language": "English", "target_language": "German"},
    ),
    "tiny": TextTemplate(
        prompt="{bos} {source}<|target|>", completion=" {hypothesis}", end="{eos}"
    ),
    "raw": TextTemplate(prompt="{bos}"),
    "sequence": SequenceTemplate(),
}
"""The templates that a command or a saved head may name, by name."""


def parse_prompt(
    prompt: str | dict[str, Any] | TextTemplate | ChatPromptTemplate | SequenceTemplate,
) -> PromptTemplate:
    """A template from its name, its saved form, or itself.

    Args:
        prompt: A name of :data:`NAMED_PROMPTS`, what ``model_dump`` gives, or a template.

    Raises:
        PromptError: If the name is unknown or the saved form is not a template's.
    """
    if isinstance(prompt, str):
        if prompt not in NAMED_PROMPTS:
            raise PromptError(
                f"There is no prompt named {prompt!r}; choose from {', '.join(NAMED_PROMPTS)}, "
                'or give a template such as {"kind": "text", "prompt": "{bos}Q: {source}\\nA:", '
                '"completion": " {hypothesis}", "end": "\\n"}.'
            )
        return NAMED_PROMPTS[prompt]
    if not isinstance(prompt, dict):
        return prompt
    try:
        return _ADAPTER.validate_python(prompt)  # type: ignore[no-any-return]
    except ValidationError as error:
        faults = (
            f"{'.'.join(map(str, one['loc'])) or 'prompt'}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)
        )
        raise PromptError(f"This is not a prompt template: {'; '.join(faults)}") from None
