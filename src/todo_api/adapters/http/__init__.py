"""The REST API: FastAPI routes that call the use cases, and everything that is HTTP's business alone."""
