"""What is wrong with what a training is given, said before PyTorch is imported."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from headwise.cli import options, printing
from headwise.cli.entailment.entailment_options import expect_encoder
from headwise.cli.reading import expect_inferences, expect_model, expect_pairs, expect_tables
from headwise.cli.settings_options import check_settings
from headwise.files import refuse_written

if TYPE_CHECKING:
    from headwise.data.readers import Layout
    from headwise.data.readers.inferences import InferenceLayout
    from headwise.training.loop.run_file import TrainingRun

    Run = TypeVar("Run", bound=TrainingRun)

# What stands for a start from elsewhere than a folder
_NO_MODELS = ("lm_head", "random", "none")


def read_run(
    kind: "type[Run]", config: Path | None, settings: Any, given: Mapping[str, Any]
) -> "Run":
    """The run file that is named, or an empty one, once the values of options are checked.

    Args:
        kind: What the run file holds.
        config: The file, if one is named.
        settings: The class of its settings.
        given: Those of options.

    Raises:
        BadParameter: If a value of an option or of the file is none of the setting's own.
        DataError: If the file is missing or damaged.
    """
    run = kind.read(config) if config else kind()
    with options.usage_errors():
        check_settings(settings, given)
        check_settings(settings, run.settings)
    return run


def expect_inputs(
    output: Path,
    models: Sequence[str | None],
    *data: Sequence[str],
    layout: "Layout | InferenceLayout",
    columns: Iterable[str] = (),
) -> None:
    """See that what options name can be there, and that nobody else is at work.

    Args:
        output: The folder that is trained into.
        models: What else is read; where it is named by a word, it stands for no model.
        data: Files of rows.
        layout: Where these have their texts; pairs of premise and hypothesis are an encoder's.
        columns: What else they must have: columns that the prompt takes variables from.

    Raises:
        UnknownModelError: If there is no such model.
        DataError: If a file is missing, its format is not known from its name, or it lacks columns.
        OutputError: If another process is training into the folder.
    """
    from headwise.data.readers.inferences import InferenceLayout

    expect = expect_encoder if isinstance(layout, InferenceLayout) else expect_model
    for model in models:
        if model is not None and model not in _NO_MODELS and not Path(model).is_file():
            expect(model)
    expect_tables(*data)
    for paths in data:
        if isinstance(layout, InferenceLayout):
            expect_inferences(paths, layout)
        else:
            expect_pairs(paths, layout, columns)
    if printing.is_first_process():  # others come to a folder that the first one holds
        refuse_written(output)
