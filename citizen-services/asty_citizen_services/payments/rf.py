"""The payment code of DIAS: a structured creditor reference (ISO 11649) that names organisation, amount and debt. Pure."""

from itertools import cycle

from stdnum import iso11649

REFERENCE_DIGITS = 15
_WEIGHTS = (1, 7, 3)
_RF = "271500"
ANY_AMOUNT = "8"


def code(organisation: str, cents: int | None, reference: int) -> str:
    """Return the code of 25 signs for a debt; `cents` None lets any amount be paid.

    `RF`, 2 check digits, the organisation's 5 digits, the amount's digit, 15 digits of reference. Raises ValueError.
    """
    if len(organisation) != 5 or not (organisation.isascii() and organisation.isdigit()):
        raise ValueError(f"an organisation of DIAS has five digits, not {organisation!r}")
    if not 0 < reference < 10**REFERENCE_DIGITS:
        raise ValueError(f"a reference has 1 to {REFERENCE_DIGITS} digits, not {reference}")
    body = f"{organisation}{ANY_AMOUNT if cents is None else amount_digit(cents)}{reference:0{REFERENCE_DIGITS}d}"
    return f"RF{98 - int(body + _RF) % 97:02d}{body}"


def amount_digit(cents: int) -> str:
    """Return the digit that guards an amount: its cents from the right, weighted 1 7 3, the sum's rest by 8."""
    if cents <= 0:
        raise ValueError(f"an amount is more than nothing, not {cents}")
    return str(sum(int(digit) * weight for digit, weight in zip(reversed(str(cents)), cycle(_WEIGHTS), strict=False)) % 8)


def fits(text: str, cents: int) -> bool:
    """Tell whether a code is whole and is for this amount."""
    return iso11649.is_valid(text) and len(text) == 25 and text[9] in (ANY_AMOUNT, amount_digit(cents))


def grouped(text: str) -> str:
    """Write a code in fours, as banks print it."""
    return " ".join(text[n : n + 4] for n in range(0, len(text), 4))
