"""What a template may name, from what was filed, found and decided. Pure."""

from collections.abc import Mapping
from typing import Any


class Blank(dict[str, Any]):
    """A mapping in which what was not given is empty: an optional answer leaves its line out of a document."""

    def __missing__(self, key: str) -> str:
        return ""


def facts(
    answers: Mapping[str, Any], record: Mapping[str, Any], *, applicant: str, filed: str, out: str, reason: str, test_data: bool,
    service: Mapping[str, Any], place: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Return the facts of a document. `filed` and `out` are the numbers of the application and of the document itself."""
    given = Blank(answers)
    return {
        "docket": {"number": filed},
        "out": {"number": out},
        "applicant": applicant,
        "answers": given,
        "record": Blank(record),
        "address": address(given),
        "person": _name(given, "person_") or applicant,
        "child": _name(given, "child_"),
        "children": ", ".join(str(one.get("firstname", "")) for one in answers.get("children") or () if isinstance(one, Mapping))
        if isinstance(answers.get("children"), list)
        else "",
        "service": Blank(service),
        "place": Blank(place),
        "reason": reason,
        "test_data": test_data,
    }


def address(answers: Mapping[str, Any]) -> str:
    """Write an address in one line: `Ερμού 12, 38221 Βόλος`."""
    street = " ".join(str(answers[name]) for name in ("street", "street_number") if answers.get(name))
    town = " ".join(str(answers[name]) for name in ("postcode", "settlement") if answers.get(name))
    return ", ".join(part for part in (street, town) if part)


def _name(answers: Mapping[str, Any], which: str) -> str:
    return " ".join(str(answers[name]) for name in (f"{which}firstname", f"{which}lastname") if answers.get(name))
