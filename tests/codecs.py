"""The codec of stored results in tests."""


class AsBytes:
    """Stores results that are already bytes."""

    def encode(self, result: bytes) -> bytes:
        return result

    def decode(self, kept: bytes) -> bytes:
        return kept
