"""Pydantic models of requests and responses. Only this adapter uses them."""
