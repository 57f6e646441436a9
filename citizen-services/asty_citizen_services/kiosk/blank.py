"""What of a form is asked at a kiosk: all but what the sign-in knows, and files, which nobody carries to a kiosk."""

import msgspec

from asty_citizen_services.forms.form import Form, widget_of
from asty_citizen_services.procedures.catalogue import Catalogue

SIGNED = ("taxid", "lastname", "firstname", "fathername", "mothername", "birthyear")


def catalogue(procedures: Catalogue) -> Catalogue:
    """Return the same procedures with their forms as a kiosk asks them."""
    return {slug: msgspec.structs.replace(one, form=form(one.form)) for slug, one in procedures.items()}


def form(full: Form) -> Form:
    """Return a form without questions that the sign-in answers, and without files; pages that are empty then are left out."""
    pages = []
    for page in full.pages:
        asked = tuple(q for q in page.questions if q.prefill not in SIGNED and widget_of(q, full.property(q.ask)) != "files")
        if asked:
            # what introduces a page speaks of all its questions
            pages.append(msgspec.structs.replace(page, questions=asked, intro=page.intro if len(asked) == len(page.questions) else None))
    left = {question.ask for page in pages for question in page.questions}
    required = [name for name in full.schema.get("required", ()) if name in left]
    return msgspec.structs.replace(full, pages=tuple(pages), schema={**full.schema, "required": required})
