"""Finding procedures by words without accents."""

import unicodedata
from functools import lru_cache

from asty_citizen_services.procedures.catalogue import Procedure


def folded(text: str) -> str:
    """Take case and accents off: `Άγαμης` and `αγαμησ` are the same."""
    plain = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in plain if unicodedata.category(letter) != "Mn").replace("ς", "σ")


def has_words(one: Procedure, words: str) -> bool:
    """Tell whether every word occurs in a procedure's title, summary or keywords, in either language."""
    said = one.manifest
    text = _folded_once(" ".join((said.title.el, said.title.en, said.summary.el, said.summary.en, *said.keywords)))
    return all(word in text for word in folded(words).split())


_folded_once = lru_cache(maxsize=256)(folded)
