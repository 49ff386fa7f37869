"""Work on a cluster: batches to workers, files in and out, a server's replicas; no scoring logic.

The only importer of Ray. Names are imported when they are used.
"""

from typing import TYPE_CHECKING

from headwise.lazy_names import lazy_names

if TYPE_CHECKING:
    from headwise.distributed.datasets import embed_dataset, predict_dataset, score_dataset
    from headwise.distributed.job import run_on_cluster
    from headwise.distributed.joining import cluster
    from headwise.distributed.reading import read_tables
    from headwise.distributed.serving import serve_app
    from headwise.distributed.workers import Workers

_HOMES = {
    ".joining": ("cluster",),
    ".datasets": ("embed_dataset", "predict_dataset", "score_dataset"),
    ".job": ("run_on_cluster",),
    ".reading": ("read_tables",),
    ".serving": ("serve_app",),
    ".workers": ("Workers",),
}

__all__ = [
    "Workers",
    "cluster",
    "embed_dataset",
    "predict_dataset",
    "read_tables",
    "run_on_cluster",
    "score_dataset",
    "serve_app",
]

__getattr__ = lazy_names(__name__, _HOMES)
