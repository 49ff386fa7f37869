"""The app of ``headwise serve`` as a deployment of Ray Serve: replicas, each with its models."""

import asyncio
from typing import Any

from pydantic import Field
from ray import serve
from ray.serve import Application

from headwise.errors import ServingError
from headwise.serving.settings import ServerSettings

_POLL_SECONDS = 0.1


class ReplicaSettings(ServerSettings):
    """Settings of a server, and of the replicas of it that Ray Serve runs.

    Attributes:
        least_replicas: How many there are when nobody asks.
        most_replicas: How many there may be.
        ongoing_requests: In work and waiting at a replica on average; with more there will be
            another replica, with fewer one less.
        threads: Threads and processors of a replica.
        gpus: Accelerators of a replica; 0.5 lets two share one.
    """

    least_replicas: int = Field(default=1, ge=1)
    most_replicas: int = Field(default=1, ge=1)
    ongoing_requests: float = Field(default=16.0, gt=0)
    threads: int = Field(default=1, ge=1)
    gpus: float = Field(default=0.0, ge=0)

    @property
    def server(self) -> ServerSettings:
        """Those of the server alone."""
        return ServerSettings(**self.model_dump(include=set(ServerSettings.model_fields)))


def serve_app(settings: ReplicaSettings) -> Application:
    """Make what Ray Serve deploys, for ``serve run`` and `ray.serve.run`.

    Requests go to replicas; in each, those of all its clients share batches of tokens.

    Args:
        settings: Of replicas and server. ``serve run headwise.distributed.serving:serve_app
            model=tiny-en-de`` makes them of its arguments, and a file of YAML of its ``args``.
    """
    server, threads = settings.server, settings.threads

    def build() -> Any:
        import torch

        from headwise.serving.app import create_app

        torch.set_num_threads(threads)
        return create_app(server)

    class Headwise:
        async def check_health(self) -> None:
            """Say that the replica may have requests, as soon as its models are there."""
            service = self.app.state.service  # type: ignore[attr-defined]  # of the ingress
            while service.missing and not service.stopping:
                if service.failure is not None:
                    raise ServingError(f"A model could not be loaded: {service.failure}")
                await asyncio.sleep(_POLL_SECONDS)

    made = serve.deployment(
        serve.ingress(build)(Headwise),
        name="headwise",
        max_ongoing_requests=server.max_concurrent_requests,
        graceful_shutdown_timeout_s=server.drain_seconds,
        ray_actor_options={"num_cpus": threads, "num_gpus": settings.gpus},
        autoscaling_config={
            "min_replicas": settings.least_replicas,
            "max_replicas": max(settings.least_replicas, settings.most_replicas),
            "target_ongoing_requests": settings.ongoing_requests,
        },
    )
    return made.bind()
