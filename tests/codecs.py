"""What the results of edits are kept as in tests."""


class AsBytes:
    """Keeps results that are bytes already."""

    def encode(self, result: bytes) -> bytes:
        return result

    def decode(self, kept: bytes) -> bytes:
        return kept
