"""One file a family of routes: read the request, ask a service, write the answer."""

from headwise.serving.routes import (
    classification,
    decisions,
    documentation,
    embeddings,
    facts,
    operation,
    reranking,
    scores,
)

ROUTERS = (
    scores.router,
    embeddings.router,
    reranking.router,
    classification.router,
    facts.router,
    decisions.router,
    operation.router,
    documentation.router,
)
