"""What routes use: the models that are served, and whether they are there yet."""

import gc
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request

from headwise.errors import InputError
from headwise.serving.cascade_service import CascadeService
from headwise.serving.entailment_service import EntailmentService
from headwise.serving.errors import SERVER_ERROR, ApiError
from headwise.serving.quality_service import QualityService
from headwise.serving.settings import ServerSettings
from headwise.serving.work.observer import NOBODY, WorkObserver

if TYPE_CHECKING:
    from headwise.entailment import EntailmentModel
    from headwise.quality import QualityEstimator


class Service:
    """The models of a server.

    Attributes:
        settings: What the server was told.
        quality: The language model and its heads, once they are loaded.
        entailment: The encoder and its heads, likewise.
        cascade: The language model and those that are asked after it, likewise.
        failure: Why a model could not be loaded.
        stopping: Whether the server takes no new requests.
    """

    def __init__(
        self,
        settings: ServerSettings,
        *,
        quality: "QualityEstimator | None" = None,
        entailment: "EntailmentModel | None" = None,
        observer: WorkObserver = NOBODY,
    ) -> None:
        self.settings, self._observer = settings, observer
        self.quality: QualityService | None = None
        self.entailment: EntailmentService | None = None
        self.cascade: CascadeService | None = None
        self.failure: Exception | None = None
        self.stopping = False
        self._given = (quality, entailment)
        self._loading: threading.Thread | None = None

    @property
    def missing(self) -> list[str]:
        """Names of models that are to be served and are not there yet."""
        wanted = ((self.settings.model, self.quality), (self.settings.entailment, self.entailment))
        missing = [name for name, there in wanted if name is not None and there is None]
        if self.settings.has_cascade and self.cascade is None:
            missing += self.settings.then or ("the cascade",)
        return missing

    @property
    def is_ready(self) -> bool:
        """Whether all models are there and requests are taken."""
        return not self.missing and not self.stopping

    def start(self) -> None:
        """Take the models that were given, and load the others in a thread."""
        quality, entailment = self._given
        self.stopping = False
        if quality is not None:
            self._serve_quality(quality)
        if entailment is not None:
            self._serve_entailment(entailment)
        if self.missing:
            self._loading = threading.Thread(
                target=self._load, name="headwise-loading", daemon=True
            )
            self._loading.start()

    def _load(self) -> None:
        settings = self.settings
        try:
            _quiet_transformers()
            if settings.model is not None and self.quality is None:
                self._serve_quality(load_quality(settings))
            if settings.entailment is not None and self.entailment is None:
                self._serve_entailment(load_entailment(settings))
            if settings.has_cascade and self.quality is not None:
                self.cascade = CascadeService(self.quality, settings, self._observer)
            # What is there now stays: collections of garbage, which hold up all requests, need not
            # look through it again
            gc.collect()
            gc.freeze()
        except Exception as failure:  # noqa: BLE001 - said by /ready, and by who started the server
            self.failure = failure

    def _serve_quality(self, estimator: "QualityEstimator") -> None:
        self.quality = QualityService(self.settings.model or "model", estimator, self._observer)

    def _serve_entailment(self, model: "EntailmentModel") -> None:
        name = self.settings.entailment or "encoder"
        self.entailment = EntailmentService(name, model, self._observer)

    def stop(self) -> None:
        """Finish what is in work, and end the threads of the models."""
        self.stopping = True
        if self._loading is not None:
            self._loading.join()
        for one in (self.quality, self.entailment):
            if one is not None:
                one.thread.close()
        if self.cascade is not None:
            self.cascade.close()
        self.quality = self.entailment = self.cascade = None

    def require_quality(self, name: str | None = None) -> QualityService:
        """The language model, if a request that names it, or none, can have it.

        Raises:
            ApiError: 503 if it is not loaded yet, 404 if there is none or it is called otherwise.
        """
        found: QualityService = self._require(
            self.quality, self.settings.model, name, what="language model", option="--model"
        )
        return found

    def require_entailment(self, name: str | None = None) -> EntailmentService:
        """The encoder, likewise.

        Raises:
            ApiError: As :meth:`require_quality`.
        """
        found: EntailmentService = self._require(
            self.entailment, self.settings.entailment, name, what="encoder", option="--entailment"
        )
        return found

    def require_cascade(self) -> CascadeService:
        """The cascade.

        Raises:
            ApiError: 503 if it is not loaded yet, 404 if there is none.
        """
        if not self.settings.has_cascade:
            raise ApiError(
                404,
                "No cascade is served here; start one with --accept QUALITY and --then NAME.",
            )
        found: CascadeService = self._require(
            self.cascade, "The cascade", None, what="cascade", option="--accept"
        )
        return found

    @property
    def quality_name(self) -> str | None:
        """By which requests name the language model, if there is to be one."""
        return self.settings.model if self.quality is None else self.quality.name

    def check_batch(self, count: int, *, param: str) -> None:
        """Refuse a field that holds no texts, or more than a client may send at a time.

        Raises:
            ApiError: 400 or 413.
        """
        if count == 0:
            raise ApiError(400, f"`{param}` is empty; send one or more.", param=param)
        if count > (most := self.settings.max_client_batch_size):
            raise ApiError(
                413,
                f"A request may hold {most} texts, got {count}; send several requests.",
                param=param,
            )

    def _require(
        self, there: Any, served: str | None, name: str | None, *, what: str, option: str
    ) -> Any:
        if there is None and served is None:
            raise ApiError(
                404,
                f"No {what} is served here; start the server with {option} NAME.",
                param="model",
                code="model_not_found",
            )
        if name is not None and name != (served if there is None else there.name):
            raise ApiError(
                404,
                f"The model {name!r} does not exist; /v1/models lists those that do, and "
                f"the {what} is {served!r}.",
                param="model",
                code="model_not_found",
            )
        if there is not None:
            return there
        if self.failure is not None:
            said = f"{served} could not be loaded: {self.failure}"
            raise ApiError(503, said, kind=SERVER_ERROR, code="model_failed")
        raise ApiError(
            503,
            f"{served} is still being loaded; try again soon.",
            kind=SERVER_ERROR,
            code="model_loading",
            headers={"Retry-After": "2"},
        )


def _quiet_transformers() -> None:
    """Neither bars nor warnings of Transformers belong into the log of a server."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def load_quality(settings: ServerSettings) -> "QualityEstimator":
    """The language model and its heads, as the settings name them."""
    from headwise.backbones import parse_prompt
    from headwise.quality import QualityEstimator

    assert settings.model is not None
    prompt = None if settings.prompt is None else parse_prompt(settings.prompt)
    estimator = QualityEstimator.from_pretrained(
        settings.model,
        settings.head,
        prompt=prompt,
        prompt_variables=settings.prompt_variables,
        prompt_columns=settings.prompt_columns,
        **settings.loading,
    )
    # The first pass takes longer than others; a prompt that needs a row's columns has none here
    with suppress(InputError):
        estimator.score("A dog.", "A dog.")
    return estimator


def load_entailment(settings: ServerSettings) -> "EntailmentModel":
    """The encoder and its heads, likewise."""
    from headwise.entailment import EntailmentModel

    assert settings.entailment is not None
    return EntailmentModel.from_pretrained(settings.entailment, settings.heads, **settings.loading)


async def get_service(request: Request) -> Service:
    """The service of the app that a request came to."""
    service: Service = request.app.state.service
    return service


TheService = Annotated[Service, Depends(get_service)]
"""The parameter of a route that asks for the service."""
