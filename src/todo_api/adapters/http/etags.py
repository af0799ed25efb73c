"""Entity tags (RFC 9110, section 8.8.3): a task's is its revision, a list's the revision of its user."""

import re
from dataclasses import dataclass

_TAG = r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"'
# Empty members of a list are skipped (RFC 9110, section 5.6.1.2). Possessive, so that no text takes long to refuse.
_TAGS = re.compile(rf"(?:[ \t]*+,)*+[ \t]*+{_TAG}(?:[ \t]*+,[ \t]*+(?:{_TAG})?+)*+[ \t]*+")
# The same, for documents.
TAGS_PATTERN = r'^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$'
_OPAQUE = re.compile(_TAG)
_REVISION = re.compile(r"0|[1-9][0-9]{0,17}")


def entity_tag(revision: int) -> str:
    """Return the tag of a task or list at this revision."""
    return f'"{revision}"'


@dataclass(frozen=True, slots=True)
class Condition:
    """What If-Match or If-None-Match names: tags without their quotes, or whatever there is (`*`) for None."""

    tags: frozenset[str] | None

    @property
    def revisions(self) -> frozenset[int] | None:
        """The revisions among the tags."""
        return None if self.tags is None else frozenset(int(tag) for tag in self.tags if _REVISION.fullmatch(tag))

    def names(self, tag: str) -> bool:
        """Say whether the condition names this tag."""
        return self.tags is None or tag in self.tags

    def holds_for(self, revision: int) -> bool:
        """Say whether the condition names this revision."""
        return self.names(str(revision))


def parse_condition(value: str) -> Condition | None:
    """Read the value of If-Match or If-None-Match (RFC 9110, sections 13.1.1 and 13.1.2), or return None.

    Weak tags count as strong ones: a proxy that compresses makes weak tags of ours. Tags that no revision has are
    well-formed and match nothing.
    """
    value = value.strip(" \t")
    if value == "*":
        return Condition(None)
    if not _TAGS.fullmatch(value):
        return None
    return Condition(frozenset(_OPAQUE.findall(value)))
