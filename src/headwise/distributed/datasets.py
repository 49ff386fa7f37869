"""Work on data sets of Ray: batches go to a pool of workers that have loaded a model once."""

import dataclasses
from typing import TYPE_CHECKING, Any

from ray.data import ActorPoolStrategy, Dataset

from headwise.distributed.workers import Workers
from headwise.entailment.tables import EmbedTables, PredictTables
from headwise.quality.tables import ScoreTables

if TYPE_CHECKING:
    import pyarrow

    from headwise.data.jobs.table_work import TableWork


class BatchWorker:
    """What lives in a worker: the work, with its model loaded and its threads counted.

    Args:
        work: What becomes of a batch.
        threads: Threads of PyTorch in this worker.
    """

    def __init__(self, work: "TableWork[Any]", threads: int) -> None:
        import torch
        from transformers.utils import logging

        torch.set_num_threads(threads)
        logging.disable_progress_bar()
        self._work = work.load()

    def __call__(self, batch: "pyarrow.Table") -> "pyarrow.Table":
        """Work on a batch."""
        return self._work(batch)


def map_dataset(
    dataset: Dataset,
    work: "TableWork[Any]",
    *,
    workers: Workers = Workers(),
    in_order: bool = False,
) -> Dataset:
    """Have workers work on a data set, which is read and worked on when its rows are asked for.

    A worker that is lost is replaced, and what it had not handed over is worked on again.

    Args:
        dataset: Rows in Arrow's types.
        work: What is done to batches.
        workers: How many there are, and what each has.
        in_order: Whether rows come out in the order of the data set; blocks that are done early
            then wait for those before them.

    Returns:
        The same rows with results, each once.
    """
    rows = workers.rows_at_a_time
    remote: dict[str, Any] = {"num_cpus": workers.threads}
    if workers.gpus:
        remote["num_gpus"] = workers.gpus
    most = workers.most
    found = dataset.repartition(target_num_rows_per_block=rows).map_batches(
        BatchWorker,
        batch_size=rows,
        batch_format="pyarrow",
        zero_copy_batch=True,
        fn_constructor_args=(placed(work, workers), workers.threads),
        compute=ActorPoolStrategy(min_size=workers.least, max_size=most),
        **remote,
    )
    found.context.execution_options.preserve_order = in_order
    return found


def placed(work: "TableWork[Any]", workers: Workers) -> "TableWork[Any]":
    """The work with the device that workers have, if it names none.

    Args:
        work: What becomes of a batch.
        workers: How many workers, and what each may use.
    """
    if workers.gpus or work.loading.get("device") or work.loading.get("device_map"):
        return work
    return dataclasses.replace(work, loading={**work.loading, "device": "cpu"})


def score_dataset(
    dataset: Dataset,
    work: ScoreTables | str = "tiny-en-de",
    *,
    workers: Workers = Workers(),
    in_order: bool = False,
) -> Dataset:
    """Score the pairs of a data set.

    Args:
        dataset: Rows with a source and a hypothesis, in columns that are known by their names.
        work: What is scored and how, or the name of a model.
        workers: As of :func:`map_dataset`, and so is ``in_order``.
        in_order: Likewise.

    Returns:
        The rows with scores; ``error`` says why a row has none.
    """
    work = ScoreTables(model=work) if isinstance(work, str) else work
    return map_dataset(dataset, work, workers=workers, in_order=in_order)


def predict_dataset(
    dataset: Dataset,
    work: PredictTables | str = "minilm-snli",
    *,
    workers: Workers = Workers(),
    in_order: bool = False,
) -> Dataset:
    """Say of pairs of premise and hypothesis what follows from what; else :func:`score_dataset`."""
    work = PredictTables(model=work) if isinstance(work, str) else work
    return map_dataset(dataset, work, workers=workers, in_order=in_order)


def embed_dataset(
    dataset: Dataset,
    work: EmbedTables | str = "minilm-snli",
    *,
    workers: Workers = Workers(),
    in_order: bool = False,
) -> Dataset:
    """Embed the texts of the column ``text``, or another one; else as :func:`score_dataset`."""
    work = EmbedTables(model=work) if isinstance(work, str) else work
    return map_dataset(dataset, work, workers=workers, in_order=in_order)
