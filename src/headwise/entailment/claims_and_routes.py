"""What stands on predictions about pairs of texts: claims against sources, routes of queries."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence

from headwise.choices import DEFAULT_MIN_SIMILARITY, DEFAULT_TOGETHER
from headwise.entailment.claims.sources import CheckOptions, ReadSource
from headwise.entailment.claims.validating import Validation, is_about_claim, validation_steps
from headwise.entailment.inputs import all_good, one_of, text_list
from headwise.entailment.passages import result_of
from headwise.entailment.predicting import Prediction
from headwise.entailment.routes.choosing import (
    Router,
    RoutingExample,
    choose_router,
    possible_ways,
)
from headwise.entailment.routes.routing import RouteBy, Routes, RouteWay, Routing, route
from headwise.entailment.text_search import TextSearch
from headwise.errors import InputError


class ClaimsAndRoutes(TextSearch, ABC):
    """Checks claims against sources, and routes queries."""

    @abstractmethod
    def predict_window(self, pairs: Sequence[tuple[str, str]]) -> list[Prediction | InputError]:
        """Predict pairs of premise and hypothesis that are read together.

        Args:
            pairs: Premises and hypotheses.
        """

    def _premises(self, premises: list[str], hypothesis: str) -> list[Prediction]:
        return all_good(self.predict_window([(p, hypothesis) for p in premises]), name=None)

    def _hypotheses(self, premise: str, hypotheses: list[str]) -> list[Prediction]:
        return all_good(self.predict_window([(premise, h) for h in hypotheses]), name=None)

    def route(
        self, query: str, routes: Routes, *, by: RouteBy = "auto", min_score: float | None = None
    ) -> Routing:
        """Find the route for a query; routes that come again are not encoded again.

        By similarity it is the route that holds the text closest to the query. By entailment, the
        query is the premise, and the route is chosen whose hypothesis is most probably entailed,
        among those that the model calls entailed and does not abstain on. By both it is the route
        that the two together make most probable among the others.

        Args:
            query: What is to be sent somewhere.
            routes: Names and texts, one or several each: descriptions or example queries, or by
                entailment hypotheses; or texts that name themselves.
            by: ``similarity``, ``both`` or ``entailment``; or ``auto``, which is similarity.
                Which way suits some routes best, :meth:`choose_router` finds out.
            min_score: Least score of a route; below it none suits. By similarity, one of the
                encoder's own similarities, for most a cosine in [-1, 1]. By both, the probability
                of the route among all, in [0, 1]. By entailment, the probability of entailment,
                which takes the place of the demand that entailment is the most probable class; 0
                takes the best on which the model does not abstain, whatever it is.

        Raises:
            ValueError: If there are no routes, names or texts repeat, or the model has no heads.
        """
        self._read_query(query)
        return route(
            query,
            routes,
            by=one_of(by, RouteBy, name="by"),
            min_score=min_score,
            predict=self._hypotheses,
            compare=self.encoder.compare,
        )

    def choose_router(
        self,
        routes: Routes,
        examples: Iterable[RoutingExample],
        *,
        min_scores: Mapping[RouteWay, float] | None = None,
    ) -> Router:
        """Choose the way of routing that takes most example queries where they belong.

        Where several are right equally often, it is the first of similarity, both and entailment:
        similarity costs least, asks nothing of what heads were trained on, and always has an
        answer; entailment alone hangs on the heads. Without heads there is only similarity.

        Args:
            routes: As in :meth:`route`. The examples are not added to them.
            examples: Queries and the name of the route that each belongs to, ``None`` where none
                suits.
            min_scores: Least score of a route by way, as ``min_score`` in :meth:`route`. Ways that
                are not named have none; or, where some examples belong nowhere, the one that is
                right most often on the examples. For entailment, 0 is tried as
                well.

        Returns:
            What routes queries by the chosen way, and knows how often each was right.

        Raises:
            ValueError: If there are no examples, or one names an unknown route; else as
                :meth:`route`.
            TextError: If a query cannot be read.
        """
        return choose_router(
            routes,
            examples,
            min_scores=min_scores,
            predict=self._hypotheses,
            compare=self.encoder.compare,
            ways=possible_ways(self.encoder),
        )

    def validate(
        self,
        source: str,
        claim: str,
        *,
        language: str = "en",
        top_k: int = 5,
        window: int = 1,
        min_similarity: float = DEFAULT_MIN_SIMILARITY,
        together: int = DEFAULT_TOGETHER,
    ) -> Validation:
        """Check a claim against a source of any length.

        The source is cut into sentences; the passages that are most similar to the claim are
        premises, each by itself and, where none entails it, several together. The claim is

        - supported if a premise entails it and the model does not abstain there;
        - else contradicted if a premise that is about the claim contradicts it, likewise;
        - else uncertain if the model abstains on all premises that are about the claim;
        - else there is not enough information.

        Args:
            source: The source.
            claim: The claim, one statement.
            language: Code of the source's language, for its sentences.
            top_k: How many passages to ask about.
            window: Neighbouring sentences in a passage; passages overlap if it is above 1.
            min_similarity: Cosine of embeddings, in [-1, 1], that a passage needs to contradict
                the claim, also the only passage, and to be read together with others. The lower it
                is, the more claims that the source says nothing about are called contradicted; -1
                asks for none.
            together: How many passages may be read as one premise, at most ``top_k``, as far as
                they fit into the encoder's context; 1 reads each by itself alone.

        Raises:
            ValueError: If ``top_k``, ``window`` or ``together`` is below 1, or the model has no
                heads.
        """
        found = self.validate_many(
            source,
            [claim],
            language=language,
            top_k=top_k,
            window=window,
            min_similarity=min_similarity,
            together=together,
        )
        return all_good(found, name=None)[0]

    def validate_many(
        self,
        source: str,
        claims: Iterable[str],
        *,
        language: str = "en",
        top_k: int = 5,
        window: int = 1,
        min_similarity: float = DEFAULT_MIN_SIMILARITY,
        together: int = DEFAULT_TOGETHER,
    ) -> Iterator[Validation | InputError]:
        """Check several claims against one source, which is cut and embedded once for all.

        Args:
            source: The source.
            claims: Statements, each of which is checked by itself.
            language: As in :meth:`validate`.
            top_k: Likewise.
            window: Likewise.
            min_similarity: Likewise.
            together: Likewise.

        Yields:
            One validation a claim, in order; an error in the place of a claim that cannot be read.

        Raises:
            InputError: If the source cannot be read.
            ValueError: As :meth:`validate`.
        """
        options = CheckOptions(
            language=language,
            top_k=top_k,
            window=window,
            min_similarity=min_similarity,
            together=together,
        )
        read = ReadSource(source, encoder=self.encoder, options=options)
        for claim in text_list(claims, name="claims"):
            try:
                yield result_of(validation_steps(read, claim, predict=self._premises))
            except InputError as error:
                if not is_about_claim(error):
                    raise
                yield error
