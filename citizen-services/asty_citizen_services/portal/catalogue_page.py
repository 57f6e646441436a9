"""What the home page lists: procedures by category, found by words without accents."""

from collections.abc import Iterable

from asty_citizen_services.procedures.catalogue import Procedure
from asty_citizen_services.procedures.search import has_words


def found(procedures: Iterable[Procedure], q: str, lang: str) -> dict[str, list[Procedure]]:
    """Return the procedures in which every word of `q` occurs, by category, in the order of the catalogue."""
    by_category: dict[str, list[Procedure]] = {}
    for one in procedures:
        if has_words(one, q):
            by_category.setdefault(one.manifest.category.of(lang), []).append(one)
    return by_category
