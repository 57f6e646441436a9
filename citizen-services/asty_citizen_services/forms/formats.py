"""The Greek numbers that forms ask for: tidied as they are typed, checked as they are kept."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date

import phonenumbers
from stdnum import iban
from stdnum.gr import amka, vat

NO_AFM = "000000000"
_LOOKALIKES = str.maketrans("ABEZHIKMNOPTYX", "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")


def tidy(text: str) -> str:
    """Return typed text in one normal form: NFC, single blanks, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def is_afm(text: str) -> bool:
    """Tell whether it is a tax number (ΑΦΜ); the library takes nine zeros, which nobody has."""
    return bool(re.fullmatch(r"\d{9}", text)) and text != NO_AFM and vat.is_valid(text)


def is_amka(text: str) -> bool:
    return bool(re.fullmatch(r"\d{11}", text)) and amka.is_valid(text)


def is_phone(text: str) -> bool:
    """Tell whether it is a phone number that can be called from Greece; kept as E.164."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, "GR"))
    except phonenumbers.NumberParseException:
        return False


def is_mobile(text: str) -> bool:
    """Tell whether it is a mobile number, which takes SMS."""
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    return is_phone(text) and phonenumbers.number_type(phonenumbers.parse(text, "GR")) in kinds


def e164(text: str) -> str:
    """Return a phone number as +302421012345; what is no number comes back as it is."""
    return phonenumbers.format_number(phonenumbers.parse(text, "GR"), phonenumbers.PhoneNumberFormat.E164) if is_phone(text) else text


def is_postcode(text: str) -> bool:
    """Tell whether it is a Greek postcode: five digits from 10000 to 85999."""
    return bool(re.fullmatch(r"[1-8]\d{4}", text)) and text < "86000"


def is_identity_card(text: str) -> bool:
    """Tell whether it is the number of an identity card: ΑΒ123456, Α123456 or the new card's 9 signs, or a passport's."""
    return bool(re.fullmatch(r"[Α-Ω]{1,2}\d{6}|[Α-Ω]{2}\d{7}", text))


def is_email(text: str) -> bool:
    return bool(re.fullmatch(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+", text)) and len(text) <= 254


def is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def is_file(text: str) -> bool:
    """Tell whether it can be the id of a file that was uploaded (a UUID); that it is one of this draft, the filing checks."""
    return bool(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text))


FORMATS: dict[str, Callable[[str], bool]] = {
    "afm": is_afm,
    "amka": is_amka,
    "date": is_date,
    "email": is_email,
    "file": is_file,
    "iban": iban.is_valid,
    "identity-card": is_identity_card,
    "mobile": is_mobile,
    "phone": is_phone,
    "postcode": is_postcode,
}


def digits(text: str) -> str:
    return re.sub(r"[\s.\-/]", "", text)


def card(text: str) -> str:
    """Return an identity card's number in Greek capitals without blanks, whichever keyboard wrote it."""
    return digits(text).upper().translate(_LOOKALIKES)


KEEP: dict[str, Callable[[str], str]] = {
    "afm": digits,
    "amka": digits,
    "email": str.strip,
    "iban": lambda text: digits(text).upper(),
    "identity-card": card,
    "mobile": e164,
    "phone": e164,
    "postcode": digits,
}
"""How a typed value of a format is kept; a format that is not here is kept as typed."""
