"""Warnings that are said once, however often there is a reason for them."""

import logging
from functools import cache


@cache
def warn_once(logger: logging.Logger, warning: str) -> None:
    """Log a warning, but not again for each text of a loop that works on one by one."""
    logger.warning(warning)
