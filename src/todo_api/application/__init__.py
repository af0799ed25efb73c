"""The use cases and the other ports that they need. Nothing here knows which adapter is calling."""
