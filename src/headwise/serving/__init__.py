"""HTTP service and page over loaded models: routes, queue, limits; no scoring logic.

The only importer of the web framework. Names are imported when they are used.
"""

from typing import TYPE_CHECKING

from headwise.lazy_names import lazy_names

if TYPE_CHECKING:
    from headwise.serving.app import create_app
    from headwise.serving.settings import ServerSettings

__all__ = ["ServerSettings", "create_app"]

__getattr__ = lazy_names(__name__, {".app": ("create_app",), ".settings": ("ServerSettings",)})
