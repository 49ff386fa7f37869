"""One file a family of routes: read the request, ask a service, write the answer."""

from headwise.serving.routes import scores

ROUTERS = (scores.router,)
