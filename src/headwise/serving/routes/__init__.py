"""One file a family of routes: read the request, ask a service, write the answer."""

from headwise.serving.routes import (
    classification,
    decisions,
    documentation,
    embeddings,
    facts,
    operation,
    page,
    reranking,
    scores,
    views,
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
    views.router,
    page.router,
)
