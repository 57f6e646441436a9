"""Greek and English terms: English in the templates, Greek from `locale/el/*.po`, read at start without a compile step."""

from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

OWN = Path(__file__).parent / "locale"


def load(lang: str, *folders: Path) -> NullTranslations:
    """Return the terms of one language out of several locale folders; a later folder yields to an earlier one.

    English needs no catalogue. Raises FileNotFoundError when a folder has no catalogue of another language.
    """
    found: NullTranslations = NullTranslations()
    for folder in reversed(folders):
        for path in sorted((folder / lang).glob("*.po")):
            terms = _read(path, lang)
            terms.add_fallback(found)
            found = terms
        if lang != "en" and not any((folder / lang).glob("*.po")):
            raise FileNotFoundError(f"no catalogue in {folder / lang}")
    return found


def _read(path: Path, lang: str) -> NullTranslations:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=lang)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
