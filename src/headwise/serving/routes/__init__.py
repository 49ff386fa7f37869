"""One file a family of routes: read the request, ask a service, write the answer."""

from headwise.serving.routes import (
    cascade,
    chat,
    classification,
    completions,
    decisions,
    documentation,
    embeddings,
    facts,
    models,
    operation,
    page,
    reranking,
    scores,
    tokens,
    views,
)

ROUTERS = (
    scores.router,
    chat.router,
    completions.router,
    cascade.router,
    embeddings.router,
    reranking.router,
    classification.router,
    facts.router,
    decisions.router,
    models.router,
    tokens.router,
    operation.router,
    documentation.router,
    views.router,
    page.router,
)
