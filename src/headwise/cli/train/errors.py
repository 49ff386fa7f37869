"""``headwise train errors``: train an error head."""

import functools
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from headwise.cli import options, printing, prompt_options
from headwise.cli.reading import read_training_pairs
from headwise.cli.settings_options import with_options
from headwise.cli.train import training_options as shared
from headwise.cli.train.error_head_lines import lines_after_training
from headwise.cli.train.first_checks import expect_inputs, read_run
from headwise.cli.train.running import Running, load_language_model
from headwise.training.errors.settings import ERRORS, HEAD, ErrorTraining


@with_options
def errors(
    *,
    output: Annotated[Path, shared.folder("Folder of the head; may be that of a Sigmoid Head.")],
    backbone: shared.LanguageModel = None,
    texts: shared.ErrorData,
    start: Annotated[
        str | None,
        shared.files(
            "Error head to go on from: a folder, a bundled name, or none. With --labels alone, by "
            "default that of the model.",
            HEAD,
        ),
    ] = None,
    with_head: Annotated[
        str | None,
        shared.files(
            "Folder or bundled name of a Sigmoid Head to copy into OUTPUT, so that one folder has "
            "both.",
            HEAD,
        ),
    ] = None,
    config: Annotated[Path | None, shared.run_file("leaves an error_head.yaml")] = None,
    backbone_name: shared.BackboneName = None,
    prompting: prompt_options.PromptOptions,
    mix: Annotated[
        Path | None, shared.files("YAML with the proportions of the families.", ERRORS)
    ] = None,
    language: Annotated[
        str | None, shared.files("Of the texts (de, en); by default what prompts say.", ERRORS)
    ] = None,
    given: Annotated[dict[str, Any], ErrorTraining],
    running: Running,
) -> None:
    """Train an error head: which words are wrong? From correct texts, without human labels.

    Checkpoints go to OUTPUT/error_checkpoints; the same command continues from the newest one.
    """
    from headwise.training.errors.run_file import ErrorRun, chosen_settings

    run = read_run(ErrorRun, config, ErrorTraining, given)
    with options.usage_errors():
        settings = chosen_settings(run, given, mix=mix, language=language)
    backbone, texts = backbone or run.backbone, texts.over(run)
    if not (backbone and texts.suffice):
        raise typer.BadParameter(shared.NEEDED_OR_LABELS)
    layout = texts.columns.layout(has_source=not texts.no_source)
    models, named = [backbone, start, with_head], prompting.columns.values()
    expect_inputs(output, models, *texts.files, layout=layout, columns=named)

    from headwise.bundled import locate
    from headwise.quality.after_training import train_error_head
    from headwise.training.errors import setup

    printing.show_messages()
    place = locate(backbone := running.loading.named(backbone))
    with options.usage_errors():
        begin = setup.folder_to_start_from(place, start, run, given, alone=not texts.data)
        beside = setup.folder_with_sigmoid_head(place, output, with_head)
    model, template = load_language_model(
        place,
        running.loading,
        prompting,
        run,
        has_source=layout.has_source,
        heads=(beside, begin, place.head),
        settings=settings,
    )
    read = functools.partial(read_training_pairs, layout=layout, read_by=(model, template))
    trained = train_error_head(
        model,
        read(texts.data),
        read(texts.dev),
        output,
        prompt=template,
        backbone_name=backbone_name or backbone,
        settings=settings,
        labels=read(texts.labels),
        label_dev=read(texts.labels_dev),
        start=begin,
        sigmoid_head=beside,
        data=texts.data,
        dev_data=texts.dev,
        label_data=texts.labels,
        label_dev_data=texts.labels_dev,
        **running.arguments,
    )
    for line in lines_after_training(trained, place, output, backbone, template):
        print(line, file=sys.stderr)
