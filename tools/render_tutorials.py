"""Run the notebooks of `tutorials/` and write them as pages with what they printed and drew.

``python tools/render_tutorials.py`` renders all of them into `docs/tutorials/`, and
``python tools/render_tutorials.py score-and-look`` one. A notebook is a script in Jupytext's
percent format. Tags of its cells: of one that ``varies``, numbers that it prints are not the same
everywhere (times, what training ends with); one that is ``hidden`` is left out of the page.
"""

import argparse
import os
import re
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).parents[1]
SOURCES, PAGES = ROOT / "tutorials", ROOT / "docs" / "tutorials"
OUTPUT, VARIES = "<!-- output -->", "<!-- output: its numbers vary -->"
_SECONDS = 900
_ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "COLUMNS": "90", "NO_COLOR": "1"}
_FRAME = re.compile(r'<iframe [^>]*?src="([\w.-]+)"')

# Figures that read on a light and on a dark page, and are the same in every run
_FIGURES = """
%config InlineBackend.figure_formats = ["svg"]
%config InlineBackend.print_figure_kwargs = {"bbox_inches": "tight", "metadata": {"Date": None}}
import matplotlib
matplotlib.rcParams.update({
    "svg.hashsalt": "headwise", "svg.fonttype": "none",
    "figure.facecolor": "none", "axes.facecolor": "none",
    "text.color": "#7b8490", "axes.labelcolor": "#7b8490", "axes.edgecolor": "#7b8490",
    "xtick.color": "#7b8490", "ytick.color": "#7b8490", "grid.color": "#7b8490",
    "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False,
    "figure.figsize": (7.0, 3.0),
    "axes.prop_cycle": matplotlib.cycler(color=["#2f8fd0", "#e0702a", "#2aa07a", "#b86ca4"]),
})
""".strip()


@dataclass
class Rendered:
    """A notebook that ran.

    Attributes:
        blocks: Of the page, in order: heading, where it comes from, and its cells.
        files: Contents of figures and of pages that it shows, by name.
    """

    blocks: list[str]
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def page(self) -> str:
        return "\n\n".join(self.blocks) + "\n"


def names() -> list[str]:
    """All tutorials."""
    return sorted(path.stem for path in SOURCES.glob("*.py"))


def source_notebook(name: str) -> NotebookNode:
    """The notebook without outputs, always the same one."""
    notebook = jupytext.read(SOURCES / f"{name}.py")
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata = {"kernelspec": kernel}
    return notebook


def run(name: str) -> Rendered:
    """Execute a tutorial in a folder of its own and render it.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell fails.
    """
    notebook = source_notebook(name)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(_FIGURES))
    with tempfile.TemporaryDirectory() as folder:
        # Not over TCP, which Jupyter takes by itself: others on the machine could listen
        connection = str(Path(folder, ".kernel.json"))
        manager = KernelManager(kernel_name="python3", transport="ipc", connection_file=connection)
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(notebook, timeout=_SECONDS, km=manager, resources=resources)
        start = time.perf_counter()
        try:
            client.execute(env=os.environ | _ENVIRONMENT)
        finally:
            manager.shutdown_kernel(now=True)
        seconds = time.perf_counter() - start
        title, *cells = notebook.cells[1:]
        took = f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"
        source = (
            f"*A notebook: [download it]({name}.ipynb), or take `tutorials/{name}.py`. "
            f"Outputs are those of a run that took {took} on two processor cores.*"
        )
        heading, *rest = title.source.split("\n\n")
        rendered = Rendered([heading, source, *rest])
        for cell in cells:
            rendered.blocks += _blocks(cell, name, Path(folder), rendered.files)
    return rendered


def _blocks(cell: NotebookNode, name: str, folder: Path, files: dict[str, bytes]) -> Iterator[str]:
    """Markdown of a cell; figures, and files that it shows in frames, are collected."""
    tags = cell.metadata.get("tags", [])
    if "hidden" in tags:
        return
    if cell.cell_type == "markdown":
        yield from cell.source.split("\n\n")
        return
    yield f"```python\n{cell.source}\n```"
    for output in _joined(cell.outputs):
        data = output.get("data", {})
        text = output["text"] if output.output_type == "stream" else data.get("text/plain", "")
        if svg := data.get("image/svg+xml"):
            files[file := f"{name}-{len(files) + 1}.svg"] = svg.encode()
            yield f"![{_alternative(cell)}]({file})"
        elif png := data.get("image/png"):
            files[file := f"{name}-{len(files) + 1}.png"] = b64decode(png)
            yield f"![{_alternative(cell)}]({file})"
        elif html := " ".join(data.get("text/html", "").split()):
            for shown in _FRAME.findall(html):
                files[file := f"{name}-{shown}"] = (folder / shown).read_bytes()
                html = html.replace(f'"{shown}"', f'"{file}"')
            yield html
        elif text.strip():
            lines = "\n".join(line.rstrip() for line in text.rstrip().splitlines())
            yield f"{VARIES if 'varies' in tags else OUTPUT}\n```text\n{lines}\n```"


def _joined(outputs: list[NotebookNode]) -> Iterator[Any]:
    """Outputs with what was printed in a row as one; messages and progress are left out."""
    printed = ""
    for output in outputs:
        if output.output_type == "stream":
            printed += output.text if output.name == "stdout" else ""
            continue
        if printed:
            yield nbformat.v4.new_output("stream", text=printed)
            printed = ""
        yield output
    if printed:
        yield nbformat.v4.new_output("stream", text=printed)


def _alternative(cell: NotebookNode) -> str:
    """What a figure shows, for who does not see it: the comment that its cell begins with."""
    first = cell.source.partition("\n")[0]
    if not first.startswith("# "):
        raise ValueError(f"A cell that draws begins with a comment on what; got {first!r}.")
    return first.removeprefix("# ")


def notebook_text(name: str) -> str:
    """The notebook to download."""
    return nbformat.writes(source_notebook(name), nbformat.NO_CONVERT) + "\n"


def write(name: str) -> None:
    """Run a tutorial and write its page, what the page shows, and the notebook to download."""
    rendered = run(name)
    for old in [*PAGES.glob(f"{name}-*.svg"), *PAGES.glob(f"{name}-*.html")]:
        old.unlink()
    (PAGES / f"{name}.md").write_text(rendered.page, "utf-8")
    (PAGES / f"{name}.ipynb").write_text(notebook_text(name), "utf-8")
    for file, content in rendered.files.items():
        (PAGES / file).write_bytes(content)


def main() -> None:
    """Render the tutorials that are named, or all."""
    parser = argparse.ArgumentParser(description="Run tutorials and write their pages.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="all by default")
    for name in parser.parse_args().names or names():
        print(name, flush=True)
        write(name)


if __name__ == "__main__":
    main()
