"""What every request passes before it reaches a route: id and log, keys, bounds, a place.

Plain ASGI, one gate a file; nothing here knows a route or a model.
"""
