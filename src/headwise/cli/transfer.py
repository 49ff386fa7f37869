"""``headwise export`` and ``headwise import``: the hub layout of heads."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from headwise.cli import options, prompt_options
from headwise.cli.reading import expect_model


def export(
    output: Annotated[Path, typer.Argument(help="Folder to write.", file_okay=False)],
    model: options.Model = options.DEFAULT_MODEL,
    head: options.Head = None,
    dtype: Annotated[
        Literal["float32", "bfloat16", "float16"],
        typer.Option("--dtype", help="Of the numbers in the file."),
    ] = "float32",
) -> None:
    """Write a head as a folder that plain Transformers loads with trust_remote_code=True."""
    for name in (model, head):
        expect_model(name)

    from headwise.heads import copy_head, read_head_info

    location = options.head_location(model, head)
    with options.usage_errors():
        folder = copy_head(location, output, dtype=dtype)
    given = "hidden"
    if read_head_info(folder).head_type == "shared_unembedding_head":
        given = "hidden_states, model.lm_head"
    print(f"Wrote {', '.join(sorted(path.name for path in folder.iterdir()))} to {folder}.")
    print(
        f'Load it with AutoModel.from_pretrained("{folder}", trust_remote_code=True), '
        f"then call score({given})."
    )


def import_(
    head: Annotated[str, typer.Argument(help="Hub id or folder of a released head.")],
    output: Annotated[Path, typer.Argument(help="Folder to write.", file_okay=False)],
    backbone: Annotated[
        str,
        typer.Option("--backbone", "-b", help="Hub id or folder of the head's language model."),
    ],
    prompt: prompt_options.Prompt = None,
) -> None:
    """Copy a released head into a folder that knows its language model and its prompt."""
    template = prompt_options.parse_prompt_option(prompt)
    expect_model(head)

    from headwise.heads import copy_head, head_folder

    with options.usage_errors():
        folder = copy_head(
            head_folder(head),
            output,
            backbone=backbone,
            prompt=None if template is None else template.model_dump(),
        )
    print(f"Wrote the head to {folder}; score with `headwise score ... --model {folder}`.")
