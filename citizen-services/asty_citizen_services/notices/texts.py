"""What notices say, in both languages."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A subject and a body with `{values}` to fill in."""

    subject: str
    body: str

    def fill(self, values: Mapping[str, str | int]) -> "Text":
        """Raises KeyError when a value is missing."""
        return Text(self.subject.format_map(values), self.body.format_map(values))


TEXTS: Mapping[str, Mapping[str, Text]] = {
    "filed": {
        "el": Text(
            "Αρ. πρωτ. {reference}",
            "Η αίτησή σας «{subject}» πρωτοκολλήθηκε με αριθμό {reference}. Την πορεία της βλέπετε στις υποθέσεις σας.",
        ),
        "en": Text(
            "Protocol no. {reference}",
            "Your application “{subject}” was filed under number {reference}. Follow it under your cases.",
        ),
    },
}
