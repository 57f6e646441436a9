"""Every word of the pages has its Greek."""

import re
from gettext import NullTranslations
from pathlib import Path

import asty_citizen_services
from asty_look import terms

PACKAGE = Path(asty_citizen_services.__file__).parent
ROOMS = ("identity", "portal", "notices", "payments", "privacy", "kiosk", "callcentre", "office", "form", "interface")
IN_TEMPLATE = re.compile(r"""\b_\(\s*"((?:[^"\\]|\\.)+)"|\bngettext\(\s*"((?:[^"\\]|\\.)+)\"""")


def test_no_word_of_the_portal_and_the_sign_in_lacks_its_greek() -> None:
    greek: NullTranslations = terms.load("el", PACKAGE / "locale", terms.OWN)
    said: set[str] = set()
    pages = [PACKAGE / "templates" / name for name in ("civic.html", "failure.html")]
    for page in [*pages, *(path for room in ROOMS for path in (PACKAGE / "templates" / room).glob("*.html"))]:
        said |= {one or many for one, many in IN_TEMPLATE.findall(page.read_text())}
    code = "".join(
        (PACKAGE / name).read_text()
        for name in (
            "failures.py",
            "identity/sign_in.py",
            "identity/staff_pages.py",
            "identity/roles.py",
            "identity/me.py",
            "identity/contacts.py",
            "kiosk/door.py",
            "kiosk/pages.py",
            "kiosk/filling_pages.py",
            "kiosk/hand_off_pages.py",
            "identity/checks.py",
            "identity/roster.py",
            "identity/mandates.py",
            "callcentre/handoffs.py",
            "callcentre/filing_pages.py",
            "privacy/requests.py",
        )
    )
    code = re.sub(r'"""[\s\S]*?"""', "", code)
    said |= {text for text in re.findall(r'"([A-Z][^"{}]+[.a-z])"', code) if " " in text and "ASTY" not in text}
    assert len(said) > 60
    missing = {text for text in said if greek.gettext(text) == text and greek.ngettext(text, text, 1) == text}
    assert missing == set()
