"""Greek and English terms: English in the templates, Greek from `locale/el/*.po`, read at start without a compile step."""

from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

OWN = Path(__file__).parent / "locale"


def load(lang: str, *folders: Path) -> NullTranslations:
    """Return the terms of one language out of several locale folders, as one catalogue; a later folder yields to an earlier one.

    English needs no catalogue. Raises FileNotFoundError when a folder has no catalogue of another language.
    """
    found: Catalog = Catalog(locale=lang)
    for folder in reversed(folders):
        paths = sorted((folder / lang).glob("*.po"))
        if lang != "en" and not paths:
            raise FileNotFoundError(f"no catalogue in {folder / lang}")
        for path in paths:
            _add(found, path, lang)
    compiled = BytesIO()
    write_mo(compiled, found)
    compiled.seek(0)
    return GNUTranslations(compiled)


def _add(found: Catalog, path: Path, lang: str) -> None:
    """Put a file's terms in place of what was said before."""
    with path.open("rb") as file:
        for message in read_po(file, locale=lang):
            if message.id:
                found.delete(message.id, message.context)
                found[message.id] = message
