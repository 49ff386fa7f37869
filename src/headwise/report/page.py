"""What all HTML pages share: their head, their basic style, and the rule that nothing is loaded.

A page brings a folder of templates, styles and scripts of its own, and puts them into one file
that works offline.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from headwise.report.text import number, printable, setting, single

_SHARED = ("headwise.report", "page_template")
# What connects the modules of a page, and is not needed where they form one
_MODULE_WORDS = re.compile(r"^(?:import .*\n|export )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PageFolder:
    """The templates, styles and scripts of one kind of page.

    Templates may ``{% include "head.html" %}``, which needs what :meth:`head` returns, and a
    ``title``. Control characters in what they show are made visible.
    """

    package: str
    name: str

    def template(self, name: str) -> Template:
        """A template of the folder, by the name of its file."""
        return _environment(self).get_template(name)

    def head(
        self, *, styles: Iterable[str], scripts: Iterable[str], pictures: bool = False
    ) -> dict[str, Any]:
        """Style, script, and the policy that lets nothing else run or load.

        Args:
            styles: Style sheets of the folder, or else of all pages, in order; the basic one comes
                before them.
            scripts: Scripts of the folder, in order. With the basic one they form one module, so
                that no two may use one name at their top.
            pictures: Whether the page holds pictures, as data.

        Returns:
            ``style`` and ``policy``, which ``head.html`` shows, and ``script``, for a module
            element at the end of the page.
        """
        style = "\n".join([_file(*_SHARED, "base.css"), *map(self._text, styles)])
        # The style hides what needs a script until all of them have run
        live = 'document.documentElement.classList.add("live");'
        modules = [_file(*_SHARED, "base.js"), *map(self._text, scripts)]
        script = "\n".join([*(_MODULE_WORDS.sub("", module) for module in modules), live])
        images = " img-src data:;" if pictures else ""
        return {
            "policy": f"default-src 'none';{images} style-src '{_digest(style)}'; "
            f"script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'",
            "style": Markup(style),
            "script": Markup(script),
        }

    def _text(self, name: str) -> str:
        own = resources.files(self.package) / self.name / name
        return _file(self.package, self.name, name) if own.is_file() else _file(*_SHARED, name)


def script_json(value: object) -> Markup:
    """JSON that cannot end the script element it stands in.

    Raises:
        ValueError: If a number is not finite.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


@cache
def _environment(folder: PageFolder) -> Environment:
    def load(name: str) -> str:
        place = _SHARED if name == "head.html" else (folder.package, folder.name)
        return _file(*place, name)

    environment = Environment(
        loader=FunctionLoader(load),
        autoescape=True,
        # A misspelt name fails, instead of leaving a hole in the page
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Markup is a string too, but stays what it is
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    environment.filters |= {"number": number, "setting": setting, "single": single}
    return environment


@cache
def _file(package: str, folder: str, name: str) -> str:
    return (resources.files(package) / folder / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
