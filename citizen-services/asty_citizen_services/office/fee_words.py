"""What an officer reads of a fee: terms of the catalogue."""

from collections.abc import Mapping

STATES: Mapping[str, str] = {
    "due": "To pay", "paid": "Paid", "void": "No longer due", "refund": "To be sent back", "refunded": "Sent back",
}  # fmt: skip
WHY: Mapping[str, str] = {
    "changed": "the answers were changed", "unpaid": "not paid in time", "shelved": "the case was shelved", "late": "paid too late",
    "rejected": "the application was rejected", "upheld": "the application was rejected", "forwarded": "the application was sent on",
    "withdrawn": "the application was withdrawn",
}  # fmt: skip
