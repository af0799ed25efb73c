"""The HTTP server: uvicorn, its sockets and workers, and what a connection may cost."""
