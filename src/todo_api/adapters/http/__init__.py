"""The REST API: FastAPI routes that call the use cases, and everything else that is specific to HTTP."""
