"""What the home page lists: procedures by category, found by words without accents."""

import unicodedata
from collections.abc import Iterable

from asty_citizen_services.procedures.catalogue import Procedure


def folded(text: str) -> str:
    """Take case and accents off: `Άγαμης` and `αγαμησ` are the same."""
    plain = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in plain if unicodedata.category(letter) != "Mn").replace("ς", "σ")


def found(procedures: Iterable[Procedure], q: str, lang: str) -> dict[str, list[Procedure]]:
    """Return the procedures in which every word of `q` occurs, by category, in the order of the catalogue."""
    words = folded(q).split()
    by_category: dict[str, list[Procedure]] = {}
    for one in procedures:
        said = one.manifest
        text = folded(" ".join((said.title.el, said.title.en, said.summary.el, said.summary.en, *said.keywords)))
        if all(word in text for word in words):
            by_category.setdefault(said.category.of(lang), []).append(one)
    return by_category
