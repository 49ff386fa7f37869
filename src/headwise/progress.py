"""Signs of life on standard error, for work that takes a while."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


@contextmanager
def progress_bar(what: str, *, total: int | None, enabled: bool) -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs.

    Args:
        what: What is being done.
        total: How many items there are, or ``None`` if nobody knows.
        enabled: Whether to show anything; in files and pipes nothing is shown.

    Yields:
        A function that takes how many items were done since its last call.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    # Elsewhere than in a terminal a bar would leave nothing but empty lines
    shown = enabled and console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=not shown) as bar:
        task = bar.add_task(what, total=total)
        yield partial(bar.advance, task)


@contextmanager
def busy(what: str, *, enabled: bool = True) -> Iterator[None]:
    """Show that something is being done while the block runs; in files and pipes nothing."""
    console = Console(stderr=True)
    if enabled and console.is_terminal:
        with console.status(f"{what} ..."):
            yield
    else:
        yield
