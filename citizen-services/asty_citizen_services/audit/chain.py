"""What an entry's hash covers, and what is wrong with a chain of them. Pure."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

Detail = str | int | bool | None
BEGINNING = bytes(32)


@dataclass(frozen=True, slots=True)
class Link:
    """One entry: `hash` is the SHA-256 of everything else, with `before`, the hash of the entry before it."""

    stream: str
    number: int
    at: datetime
    actor: str
    act: str
    subject: str
    details: Mapping[str, Detail]
    before: bytes
    hash: bytes = b""

    def seal(self) -> bytes:
        """Return what `hash` has to be: SHA-256 over `before` and the JSON of the rest, keys sorted, time in UTC."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        said = [self.stream, self.number, at, self.actor, self.act, self.subject, dict(self.details)]
        return hashlib.sha256(self.before + msgspec.json.encode(said, order="sorted")).digest()


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong in a stream, at which entry."""

    stream: str
    number: int
    what: str

    def __str__(self) -> str:
        return f"{self.stream} entry {self.number}: {self.what}"


def flaws(stream: str, links: Iterable[Link], head: tuple[int, bytes] | None) -> Iterator[Flaw]:
    """Yield what is wrong with the entries of one stream, in order, and with what `head` says its end is."""
    last, before = 0, BEGINNING
    for link in links:
        if link.number != last + 1:
            yield Flaw(stream, link.number, f"entry {last + 1} is missing before it")
        elif link.before != before:
            yield Flaw(stream, link.number, "it does not follow from the entry before it")
        if link.seal() != link.hash:
            yield Flaw(stream, link.number, "it was altered: its hash is that of another text")
        last, before = link.number, link.hash
    if head is None:
        yield Flaw(stream, last, "the record of the stream's end is missing")
    elif head != (last, before):
        yield Flaw(stream, head[0], f"the stream ends at entry {last}")
