"""Dominant-token selectors as short texts, for commands and run files."""

from dataclasses import asdict, fields

from headwise.functional import DominantSelector, EpsilonCut, EtaCut, LargestDrop, MinP, TopK, TopP

NO_SELECTOR = "none"
SELECTORS: dict[str, type[DominantSelector]] = {
    "largest-drop": LargestDrop,
    "epsilon-cut": EpsilonCut,
    "eta-cut": EtaCut,
    "top-k": TopK,
    "top-p": TopP,
    "min-p": MinP,
}


def format_selector(selector: DominantSelector | None) -> str:
    """A selector as text, for instance ``largest-drop:jump=0.3,epsilon=0.005``."""
    if selector is None:
        return NO_SELECTOR
    name = next(name for name, kind in SELECTORS.items() if isinstance(selector, kind))
    return f"{name}:" + ",".join(f"{key}={value}" for key, value in asdict(selector).items())


def parse_selector(text: str) -> DominantSelector | None:
    """A selector from its text; what is left out has its default.

    Raises:
        ValueError: If there is no such selector or no such number of it.
    """
    name, _, numbers = text.strip().partition(":")
    if name == NO_SELECTOR and not numbers:
        return None
    if name not in SELECTORS:
        raise ValueError(
            f"There is no selector {name!r}; choose from {', '.join(SELECTORS)}, {NO_SELECTOR}."
        )
    kind = SELECTORS[name]
    types = {field.name: field.type for field in fields(kind)}
    values: dict[str, float] = {}
    for entry in filter(None, numbers.split(",")):
        key, _, value = entry.partition("=")
        if key not in types:
            raise ValueError(f"{name} has no number {key!r}; it has {', '.join(types)}.")
        try:
            values[key] = int(value) if types[key] in (int, "int") else float(value)
        except ValueError:
            raise ValueError(f"{name}: `{key}` must be a number, got {value!r}.") from None
    return kind(**values)  # type: ignore[arg-type]
