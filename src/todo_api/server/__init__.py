"""The HTTP server: uvicorn, its sockets and workers, and the limits of each connection.

Everything that depends on uvicorn is in this package, and only uses public names of uvicorn: `Config` with our own
protocol class as `http`, and subclasses of `Server`, `Multiprocess` and `Process`. tests/e2e/test_uvicorn.py checks
what this code relies on.
"""
