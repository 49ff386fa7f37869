"""Join a cluster, or start one on this machine and stop it afterwards."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import ray
import ray.data  # which sets up its log

from headwise.distributed.workers import Workers
from headwise.errors import ClusterError

LOCAL, AUTO = "local", "auto"

# Reading, writing and finding out what is done need processors of the cluster's account, and little
# of the machine's: on one machine they do not take the place of workers
SPARE_CPUS = 2


@contextmanager
def cluster(address: str = AUTO) -> Iterator[None]:
    """Have a cluster for the time of a block.

    One that this process has joined before is taken as it is, and stays.

    Args:
        address: ``auto`` joins the cluster of this machine, or that of ``RAY_ADDRESS``, and starts
            one if there is none; ``local`` starts one on this machine; all else is the address of
            one, as ``ray://head:10001`` or ``10.0.0.5:6379``.

    Raises:
        ClusterError: If there is no cluster at the address.
    """
    if ray.is_initialized():
        yield
        return
    _connect(address)
    try:
        yield
    finally:
        ray.shutdown()


def _connect(address: str) -> None:
    # Nobody is told that headwise is used, and what is said is said by headwise
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")  # as a process that scores alone
    for handler in logging.getLogger("ray.data").handlers:
        if type(handler).__name__ == "PlainRayHandler":  # its file has all of it
            handler.setLevel(logging.CRITICAL)
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address != LOCAL:
        try:
            ray.init(address=address, **quiet)
            return
        except ConnectionError as error:
            if address != AUTO or "RAY_ADDRESS" in os.environ:
                raise ClusterError(
                    f"There is no cluster at {os.environ.get('RAY_ADDRESS', address)!r} ({error}); "
                    "give the address of its head, or `local` to start one on this machine."
                ) from error
    ray.init(address=LOCAL, num_cpus=_processors() + SPARE_CPUS, include_dashboard=False, **quiet)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def expect_room(workers: Workers) -> None:
    """See that the cluster has room for the workers that there are from the beginning.

    Raises:
        ClusterError: If a job would wait for ever.
    """
    there = ray.cluster_resources()
    processors, accelerators = there.get("CPU", 0), there.get("GPU", 0)
    needed = workers.least * workers.threads + SPARE_CPUS
    if needed > processors or workers.least * workers.gpus > accelerators:
        raise ClusterError(
            f"{workers.least} workers with {workers.threads} threads and {workers.gpus:g} GPUs "
            f"each, and {SPARE_CPUS} processors to read and write, need more than the cluster's "
            f"{processors:g} processors and {accelerators:g} GPUs; ask for fewer workers."
        )
