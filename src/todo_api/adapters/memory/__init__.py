"""Storage in memory: for tests, and for whoever wants to try the service with nothing around it."""
