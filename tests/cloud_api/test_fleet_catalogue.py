"""Every word on a screen has its Greek."""

import ast
from pathlib import Path

import asty_cloud_api
import asty_look
from asty_cloud_api.reads import listing as listing_module
from asty_cloud_api.reads import terms
from asty_cloud_api.reads.listing import Choice
from asty_cloud_api.screens.routes import LISTINGS
from asty_look.terms import OWN, load
from jinja2 import Environment

CLOUD = Path(asty_cloud_api.__file__).parent
LOOK = Path(asty_look.__file__).parent


def of_templates() -> set[str]:
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    found: set[str] = set()
    for folder in (CLOUD / "templates", LOOK / "templates"):
        for path in folder.glob("*.html"):
            for _line, _function, message in environment.extract_translations(path.read_text()):
                key = message[0] if isinstance(message, tuple) else message  # of one and many, the one is the key
                found |= {key} if key else set()
    return found


def of_lists() -> set[str]:
    found = {text for listing in LISTINGS for text in (listing.title, listing.empty, *(column.title for column in listing.columns))}
    found |= {filter_.title for listing in LISTINGS for filter_ in listing.filters}
    found |= {
        term for listing in LISTINGS for filter_ in listing.filters if isinstance(filter_, Choice) for term, _sql in filter_.values.values()
    }
    found |= {term for listing in LISTINGS for column in listing.columns for term in column.terms.values()}
    return found | {
        term
        for table in vars(terms).values()
        if isinstance(table, dict) and "__name__" not in table
        for term in table.values()
        if isinstance(term, str)
    }


def of_errors() -> set[str]:
    tree = ast.parse(Path(listing_module.__file__).read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "BadQueryError"]
    return {call.args[2].value for call in calls if isinstance(call.args[2], ast.Constant)}


def test_every_word_of_the_pages_is_said_in_greek() -> None:
    greek = load("el", CLOUD / "locale", OWN)
    words = of_templates() | of_lists() | of_errors()
    assert len(words) > 150
    assert {word for word in words if greek.gettext(word) == word and greek.ngettext(word, word, 2) == word} == set()


def test_english_needs_no_catalogue() -> None:
    assert load("en", CLOUD / "locale", OWN).gettext("Lifts") == "Lifts"
