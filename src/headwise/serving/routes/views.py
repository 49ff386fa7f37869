"""``POST /v1/score/view``: scored hypotheses of one source, ready to be drawn by the page."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.scored_pieces import gap_threshold
from headwise.data.records.signals import Signal, parse_signals
from headwise.errors import InputError
from headwise.quality.ranking import worth
from headwise.report.scored_text.display import no_error_share, scale_description, shows_flag
from headwise.report.scored_text.drawing import HIGHEST_THRESHOLD, drawing_record
from headwise.serving.errors import ApiError, wishes_of_client
from headwise.serving.quality_service import QualityService
from headwise.serving.responses import json_response
from headwise.serving.schemas.views import ViewRequest
from headwise.serving.score_rows import score_row
from headwise.serving.service import TheService

# Words of a vocabulary, beyond which each signal that is made of all of them makes typists wait
_ALL_SIGNALS_UP_TO = 65_536

# The page's own: what it shows of a score may change with it
router = APIRouter(include_in_schema=False)


@router.post("/v1/score/view")
async def view(asked: ViewRequest, service: TheService) -> Response:
    """Score hypotheses with all signals that the model can give quickly, the main one first.

    ``data`` holds for each hypothesis its ``row`` as ``/v1/score`` has it at level ``token``, and
    its ``view``: what the page draws of it; or its ``error``. Beside it stands what goes for all.
    """
    quality = service.require_quality(asked.model)
    possible, signals = _signals(quality, asked.signal)
    main = signals[0]
    scorer = quality.scorers.of(
        signals,
        alternatives=asked.alternatives,
        variables=asked.variables,
        alone=asked.source is None,
        ranks=True,
    )
    pairs = [Pair(asked.source, hypothesis) for hypothesis in asked.hypotheses]
    results = await quality.made_of_scores(pairs, scorer)
    line = scorer.request.threshold
    limit = gap_threshold(line, main)
    follows = gap_threshold(HIGHEST_THRESHOLD, main) == HIGHEST_THRESHOLD
    return json_response(
        {
            "object": "list",
            "model": quality.name,
            "signals": signals,
            "possible": possible,
            "scale": scale_description(main),
            "threshold": line,
            "gap_threshold": None if follows else limit,
            "variables": sorted(quality.estimator.prompt.columns),
            "data": [_view(result) for result in results],
        }
    )


def _signals(quality: QualityService, chosen: str | None) -> tuple[list[Signal], list[Signal]]:
    """What the model can give, and what is computed of that, the main signal first in both."""
    estimator = quality.estimator
    with wishes_of_client():
        (main,) = [estimator.default_signal] if chosen is None else parse_signals([chosen])
    can_give, calibration = estimator.heads.can_give, estimator.calibration
    possible = [main, *(one for one in Signal if one != main and can_give(one, calibration))]
    if estimator.backbone.vocabulary_size <= _ALL_SIGNALS_UP_TO:
        return possible, possible
    return possible, [one for one in possible if one == main or not one.needs_vocabulary]


def _view(result: ScoredHypothesis | InputError) -> dict[str, Any]:
    if isinstance(result, InputError):
        return ApiError.of(result).body()
    return {
        "row": score_row(result, "token"),
        "view": {
            "level": result.signals[0].confidence(result.score),
            "worth": worth(result),
            "no_error": no_error_share(result),
            "flagged": shows_flag(result),
            **drawing_record(result, result.signals),
        },
    }
