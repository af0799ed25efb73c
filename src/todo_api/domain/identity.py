"""Which storage holds the data: another one after a restore or a failover."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StorageIdentity:
    """Two descriptions of the storage, which differ if the data has moved to another one, or is a copy.

    Attributes:
        recorded: The storage as it was when its identity was recorded; this is part of the data.
        present: The storage as it is.
    """

    recorded: str
    present: str

    @property
    def has_changed(self) -> bool:
        return self.recorded != self.present
