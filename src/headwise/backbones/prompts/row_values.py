"""What a variable of a prompt takes from a row."""

from collections.abc import Mapping
from typing import Any

from headwise.errors import PromptVariableError


def row_value(row: Mapping[str, Any], name: str, column: str) -> str:
    """The value of a row for a variable, as text; `PromptVariableError` if it has none."""
    takes = f"the prompt takes {name!r} from it"
    if column not in row:
        found = ", ".join(f"`{one}`" for one in row) or "none beside its texts"
        raise PromptVariableError(
            f"This row has no column `{column}`, and {takes}; its columns are {found}. Name "
            f"another (`--prompt-column {name}=COLUMN`), or give all rows one value "
            f"(`--prompt-variable {name}=...`)."
        )
    value = row[column]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        found = "nothing" if value is None else type(value).__name__
        raise PromptVariableError(f"`{column}` must be text, and {takes}; it is {found}.")
    if not (text := str(value).strip()):
        raise PromptVariableError(f"`{column}` is empty, and {takes}.")
    return text
