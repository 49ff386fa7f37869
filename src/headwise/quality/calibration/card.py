"""What a head's card says of its calibration."""

import re
from collections.abc import Mapping
from pathlib import Path

from headwise.files import atomic_path
from headwise.heads.storage.kinds import ERROR_FILES, HUB_FILES

_HEADING = "## What `quality` is made of"
_SECTION = re.compile(rf"\n*{re.escape(_HEADING)}\n.*?(?=\n## |\Z)", re.DOTALL)


def write_in_card(folder: Path, made_of: Mapping[str, str]) -> None:
    """Say in the card of a folder's heads, if there is one, what ``quality`` is made of.

    What an earlier calibration said there is replaced.
    """
    paths = (folder / files.card for files in (HUB_FILES, ERROR_FILES))
    path = next((one for one in paths if one.is_file()), None)
    if path is None:
        return
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return  # a card is for people; nothing depends on it
    rows = [f"| {name} | {made} |" for name, made in made_of.items()]
    section = "\n".join([_HEADING, "", "| of | made of |", "| --- | --- |", *rows])
    with atomic_path(path) as temporary:
        kept = _SECTION.sub("", text).rstrip("\n")
        temporary.write_text(f"{kept}\n\n{section}\n", encoding="utf-8")
