"""ASGI middleware of the application, outermost first: proxies, request context, CORS."""
