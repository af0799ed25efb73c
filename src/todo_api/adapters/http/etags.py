"""Entity tags (RFC 9110, section 8.8.3): a task has its revision, a list the revision of its user."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from todo_api.adapters.http.problems import RequestError

_TAG = r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"'
# Empty list elements are ignored (RFC 9110, section 5.6.1.2). Possessive quantifiers keep the matching time linear.
_TAGS = re.compile(rf"(?:[ \t]*+,)*+[ \t]*+{_TAG}(?:[ \t]*+,[ \t]*+(?:{_TAG})?+)*+[ \t]*+")
# For the OpenAPI document.
TAGS_PATTERN = r'^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$'
_OPAQUE = re.compile(_TAG)
# What servers and proxies that compress a response append to its tag: Apache and Caddy `-gzip`, Jetty `--gzip`.
_SUFFIXES = r"(?:(?:--?|;)(?:gzip|br|zstd|deflate|df|dcb|dcz))*+"
_ALTERED = re.compile(_SUFFIXES, re.IGNORECASE)
_REVISION = re.compile(rf"(0|[1-9][0-9]{{0,17}}){_SUFFIXES}", re.IGNORECASE)


def entity_tag(revision: int) -> str:
    return f'"{revision}"'


@dataclass(frozen=True, slots=True)
class Condition:
    """The value of If-Match or If-None-Match: tags without their quotes, or None for `*`."""

    tags: frozenset[str] | None

    @property
    def revisions(self) -> frozenset[int] | None:
        """The revisions among the tags."""
        if self.tags is None:
            return None
        return frozenset(int(found[1]) for tag in self.tags if (found := _REVISION.fullmatch(tag)))

    @property
    def normalized(self) -> str:
        """The revisions in order, whatever a proxy has done to their tags, or `*`."""
        revisions = self.revisions
        return "*" if revisions is None else ", ".join(map(str, sorted(revisions)))

    def names(self, tag: str) -> bool:
        """Return whether the tag is among these, as it is or as a proxy has altered it."""
        # The suffix is compared, not taken off: a sync token may contain `-`.
        return (
            self.tags is None
            or tag in self.tags
            or any(given.startswith(tag) and _ALTERED.fullmatch(given, len(tag)) for given in self.tags)
        )

    def holds_for(self, revision: int) -> bool:
        return self.names(str(revision))


def parse_condition(value: str) -> Condition | None:
    """Parse the value of If-Match or If-None-Match (RFC 9110, sections 13.1.1 and 13.1.2); None if it is malformed.

    Weak tags are compared like strong ones, because proxies that compress responses make tags weak; those that append
    a suffix instead do not take it off again, so it is ignored. Other tags are well-formed and match nothing.
    """
    value = value.strip(" \t")
    if value == "*":
        return Condition(None)
    if not _TAGS.fullmatch(value):
        return None
    return Condition(frozenset(_OPAQUE.findall(value)))


def read_condition(header: str, values: Sequence[str] | None) -> Condition | None:
    """Return the condition in the header fields of this name, or None without any.

    Raises:
        RequestError: The value is malformed.
    """
    if not values:
        return None
    condition = parse_condition(", ".join(values))
    if condition is None:
        raise RequestError.at(
            "header", header, 'must be `*` or entity tags such as "1795600000000000" with their quotes'
        )
    return condition


def read_revisions(header: str, values: Sequence[str] | None) -> frozenset[int] | None:
    """Return the revisions of the condition in these header fields; None without any, and for `*`."""
    condition = read_condition(header, values)
    return None if condition is None else condition.revisions
