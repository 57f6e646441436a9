"""Every word of the board has its Greek."""

import ast
from pathlib import Path

import asty_cloud_api.board
from asty_cloud_api.board import terms
from asty_cloud_api.board.closing import CLOSURES
from asty_cloud_api.board.counter import TICKETS
from asty_cloud_api.board.screen import STOPS
from asty_cloud_api.board.service import SERVICE
from asty_cloud_api.board.talk import CANNED
from asty_cloud_api.reads.listing import Choice
from asty_look.terms import OWN, load

BOARD = Path(asty_cloud_api.board.__file__).parent
LISTINGS = (CLOSURES, TICKETS, STOPS, SERVICE)
SAYS = ("NotDoneError", "say")


def of_terms() -> set[str]:
    tables = [table for name, table in vars(terms).items() if name.isupper() and not name.endswith("_SIGNS")]
    return {word for table in tables for word in table.values()}


def of_lists() -> set[str]:
    found = {word for listing in LISTINGS for word in (listing.title, listing.empty, *(column.title for column in listing.columns))}
    return found | {
        word
        for listing in LISTINGS
        for filter_ in listing.filters
        for word in (filter_.title, *((term for term, _ in filter_.values.values()) if isinstance(filter_, Choice) else ()))
    }


def of_code() -> set[str]:
    """What is said in acts and answers: the texts given to NotDoneError and say, and constants that are shown."""
    found: set[str] = set()
    for path in [*BOARD.glob("*.py"), BOARD.parent / "joints.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in SAYS and node.args and isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
            for key in node.keywords if isinstance(node, ast.Call) else ():
                if key.arg == "wrong" and isinstance(key.value, ast.Constant) and isinstance(key.value.value, str):
                    found.add(key.value.value)
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("_OVER", "_UNSAID"):
                found.add(ast.literal_eval(node.value))
    return found


def test_every_word_of_the_board_is_said_in_greek() -> None:
    greek = load("el", BOARD.parent / "locale", OWN)
    words = of_terms() | of_lists() | of_code() | set(CANNED)
    assert len(words) > 100
    assert {word for word in words if greek.gettext(word) == word} == set()
