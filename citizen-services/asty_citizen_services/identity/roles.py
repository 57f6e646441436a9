"""What an account may do in a department."""

from enum import StrEnum


class Role(StrEnum):
    """`officer` works on cases, `head` assigns and signs, `registrar` keeps the protocol, `administrator` keeps accounts.

    `call_centre` files for a caller whose identity was checked; `data_protection` answers what people ask of their data.
    Everywhere a role belongs to one department.
    """

    OFFICER = "officer"
    HEAD = "head"
    REGISTRAR = "registrar"
    ADMINISTRATOR = "administrator"
    CALL_CENTRE = "call_centre"
    DATA_PROTECTION = "data_protection"


TERMS = {
    Role.OFFICER: "Officer",
    Role.HEAD: "Head of department",
    Role.REGISTRAR: "Protocol",
    Role.ADMINISTRATOR: "Administrator",
    Role.CALL_CENTRE: "Call centre",
    Role.DATA_PROTECTION: "Data protection officer",
}
