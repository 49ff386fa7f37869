"""The results of an evaluation as JSON."""

import json
import math
from typing import Any

from headwise.evaluation.results import Evaluation


def results_json(evaluation: Evaluation) -> str:
    """Tables, comparisons, settings and notes as JSON that every parser reads.

    JSON has no number for infinity, so it is written as the text ``Infinity`` or ``-Infinity``.

    Args:
        evaluation: What was found.
    """
    plain = _plain(evaluation.as_dict())
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=2) + "\n"
    # Halves of surrogate pairs could not be written to a file.
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case float() if math.isnan(value):
            return None
        case float() if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        case _:
            return value
