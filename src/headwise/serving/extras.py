"""The packages that serving needs beside headwise's own, and what is said when they are missing."""

from importlib.util import find_spec

from headwise.errors import ServingError

_SERVE = ("fastapi", "uvicorn", "prometheus_client")
_OTLP = (
    "opentelemetry.sdk",
    "opentelemetry.exporter.otlp.proto.http",
    "opentelemetry.instrumentation.asgi",
)


def expect_extras(*, traces: bool) -> None:
    """See that what the server needs is installed, without importing it.

    Args:
        traces: Whether OpenTelemetry is needed, too.

    Raises:
        ServingError: If a package is missing; the message says how to install it.
    """
    if missing := _missing(_SERVE):
        raise ServingError(
            f"The server needs packages that are not installed ({missing}): "
            "pip install 'headwise[serve]'."
        )
    if traces and (missing := _missing(_OTLP)):
        raise ServingError(
            f"--otlp-endpoint needs packages that are not installed ({missing}): "
            "pip install 'headwise[otlp]'."
        )


def _missing(modules: tuple[str, ...]) -> str:
    return ", ".join(name for name in modules if not _is_there(name))


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of a package that it lies in
        return False
