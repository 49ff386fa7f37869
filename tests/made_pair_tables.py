"""The bundled examples as tables of any length."""

from pathlib import Path

import pyarrow
import pyarrow.parquet

from headwise.bundled.examples import example_pairs

PAIRS = [(pair.source, pair.hypothesis) for pair in example_pairs()]


def write_pairs(path: Path, count: int) -> None:
    """The bundled examples again and again, numbered."""
    rows = [PAIRS[number % len(PAIRS)] for number in range(count)]
    table = pyarrow.table(
        {
            "source": [source for source, _ in rows],
            "hypothesis": [hypothesis for _, hypothesis in rows],
            "number": [str(number) for number in range(count)],
        }
    )
    pyarrow.parquet.write_table(table, path, row_group_size=100)
