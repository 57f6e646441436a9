"""What the registers hold, how an entry is found from an application's answers, and where the two differ. Pure."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct


class Column(Struct, frozen=True):
    """One thing that an entry says. `against` are the answers that should say the same: the first group of which any was given counts."""

    key: str
    el: str
    en: str
    against: tuple[tuple[str, ...], ...] = ()
    is_day: bool = False

    def label(self, lang: str) -> str:
        return self.en if lang == "en" else self.el


class Register(Struct, frozen=True):
    """`found_by` are the ways to an entry, tried in order: the entry's key and the answers that must say the same, all of them given."""

    el: str
    en: str
    columns: tuple[Column, ...]
    found_by: tuple[tuple[tuple[str, tuple[str, ...]], ...], ...]

    def title(self, lang: str) -> str:
        return self.en if lang == "en" else self.el


class Said(Struct, frozen=True):
    """One line of the comparison. `agrees` is None where the citizen was not asked."""

    key: str
    label: str
    register: str
    answer: str
    agrees: bool | None
    is_day: bool = False


_NUMBER = Column("number", "Αριθμός", "Number", (("record_number",),))
_NAME = Column("name", "Ονοματεπώνυμο", "Name", (("person_firstname", "person_lastname"), ("firstname", "lastname")))
_FATHER = Column("fathername", "Πατρώνυμο", "Father's name", (("person_fathername",), ("fathername",)))
_MOTHER = Column("mothername", "Μητρώνυμο", "Mother's name", (("person_mothername",), ("mothername",)))
_BORN = Column("born_on", "Ημερομηνία γέννησης", "Date of birth", (("born_on",),), is_day=True)
_PLACE = Column("place", "Τόπος", "Place", (("birthplace",),))
_ADDRESS = Column("address", "Διεύθυνση", "Address", (("street", "street_number"),))
_BY_PERSON = ((("name", ("person_firstname", "person_lastname")),), (("name", ("firstname", "lastname")),))
_BY_AFM = ((("afm", ("afm",)),),)

REGISTERS: Mapping[str, Register] = {
    "births_and_deaths": Register(
        "Ληξιαρχικές πράξεις γέννησης και θανάτου", "Births and deaths",
        (_NUMBER, _NAME, _FATHER, _MOTHER, _BORN,
         Column("died_on", "Ημερομηνία θανάτου", "Date of death", (("died_on",),), is_day=True), _PLACE),
        _BY_PERSON,
    ),
    "marriages": Register(
        "Ληξιαρχικές πράξεις γάμου", "Marriages",
        (_NUMBER, Column("married_on", "Ημερομηνία γάμου", "Day of the marriage", (("married_on",), ("united_on",)), is_day=True), _PLACE,
         Column("first", "Πρώτος/η σύζυγος", "First spouse", (("groom_firstname", "groom_lastname"),)),
         Column("second", "Δεύτερος/η σύζυγος", "Second spouse", (("bride_firstname", "bride_lastname"),)),
         Column("ceremony", "Είδος γάμου", "Ceremony")),
        ((("first", ("groom_firstname", "groom_lastname")), ("second", ("bride_firstname", "bride_lastname"))),
         (("number", ("record_number",)),), (("first", ("firstname", "lastname")),), (("second", ("firstname", "lastname")),)),
    ),
    "partnerships": Register(
        "Σύμφωνα συμβίωσης", "Civil partnerships",
        (_NUMBER, Column("signed_on", "Ημερομηνία", "Day", (("signed_on",),), is_day=True),
         Column("first", "Πρώτο μέρος", "First partner", (("first_firstname", "first_lastname"),)),
         Column("second", "Δεύτερο μέρος", "Second partner", (("second_firstname", "second_lastname"),))),
        ((("first", ("first_firstname", "first_lastname")), ("second", ("second_firstname", "second_lastname"))),),
    ),
    "residents": Register("Κάτοικοι", "Residents", (_NAME, _FATHER, _ADDRESS), _BY_AFM),
    "families": Register(
        "Οικογενειακές μερίδες", "Family records",
        (Column("number", "Αριθμός μερίδας", "Family record", (("family_number",), ("parents_number",))), _NAME), _BY_AFM,
    ),
    "males": Register(
        "Μητρώο αρρένων", "Register of males",
        (Column("number", "Αύξων αριθμός", "Number"), _NAME, _FATHER, _MOTHER, _BORN, _PLACE), _BY_PERSON,
    ),
    "property_debts": Register(
        "Οφειλές Τ.Α.Π.", "Property tax debts",
        (Column("atak", "ΑΤΑΚ", "Property number", (("atak",),)), Column("debt", "Οφειλή", "Debt"), _ADDRESS), ((("atak", ("atak",)),),),
    ),
    "businesses": Register(
        "Επιχειρήσεις", "Businesses",
        (Column("name", "Επωνυμία", "Name", (("business_name",),)), Column("afm", "ΑΦΜ", "Tax number", (("business_afm",),)), _ADDRESS),
        ((("afm", ("business_afm",)),),),
    ),
}  # fmt: skip
"""By the name that a manifest's `register` gives. A procedure whose register is not here is decided on its papers alone."""


def folded(text: str) -> str:
    """Fold a text for comparing: capitals, no accents, words in order of the alphabet, so that ΜΑΡΙΑ Δ. is Δ. Μαρία."""
    plain = "".join(letter for letter in unicodedata.normalize("NFD", str(text).upper()) if not unicodedata.combining(letter))
    return " ".join(sorted(plain.replace("ς", "Σ").split()))


def fits(register: Register, record: Mapping[str, Any], answers: Mapping[str, Any]) -> bool:
    """Tell whether an entry is the one that the answers mean, by the first way of which everything was answered."""
    for way in register.found_by:
        if all(_given(answers, names) for _, names in way):
            return all(folded(str(record.get(key, ""))) == folded(_joined(answers, names)) for key, names in way)
    return False


def compared(register: Register, record: Mapping[str, Any], answers: Mapping[str, Any], lang: str) -> tuple[Said, ...]:
    """Set what the register says beside what the citizen wrote."""
    return tuple(_said(column, record, answers, lang) for column in register.columns)


def _said(column: Column, record: Mapping[str, Any], answers: Mapping[str, Any], lang: str) -> Said:
    held = str(record.get(column.key) or "")
    names = next((names for names in column.against if _any(answers, names)), None)
    answer = _joined(answers, names) if names else ""
    return Said(column.key, column.label(lang), held, answer, folded(held) == folded(answer) if names else None, column.is_day)


def _given(answers: Mapping[str, Any], names: Iterable[str]) -> bool:
    return all(answers.get(name) for name in names)


def _any(answers: Mapping[str, Any], names: Iterable[str]) -> bool:
    return any(answers.get(name) for name in names)


def _joined(answers: Mapping[str, Any], names: Iterable[str]) -> str:
    return " ".join(str(answers[name]) for name in names if answers.get(name))
