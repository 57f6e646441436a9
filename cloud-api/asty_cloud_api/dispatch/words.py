"""Why a stop is on a route, in the words that the crew reads."""

from asty_cloud_api.dispatch.chances import Chance
from asty_cloud_api.dispatch.known import KnownBin

UNLOADING = "Εκφόρτωση: {kg:.0f} kg στο όχημα"
HOME = "Επιστροφή στο αμαξοστάσιο"
BREAK = "Διάλειμμα {minutes:.0f} λεπτών"
SOURCES = {
    "sensor": "από αισθητήρα",
    "forecast": "από την πρόβλεψη",
    "citizen": "από πολίτη",
    "driver": "από οδηγό",
    "dispatcher": "από τη διαχείριση στόλου",
}


def of_stop(one: KnownBin, chance: Chance, *, must: bool) -> str:
    """Say why a bin is in the day's plan."""
    if one.must:
        return f"Αδειάζει κάθε μέρα: {one.business}" if one.business else "Αδειάζει κάθε μέρα"
    if not chance.known:
        return "Δεν έχει καταγραφεί άδειασμά του: θεωρείται γεμάτος"
    if must:
        return f"Θα υπερχειλίσει πριν από την επόμενη επίσκεψη (πιθανότητα {chance.overflow:.0%})"
    return f"Πιθανότητα υπερχείλισης {chance.overflow:.0%} πριν από την επόμενη επίσκεψη· βρίσκεται κοντά στη διαδρομή"


def of_overflow(said_by: str) -> str:
    """Say that somebody told of an overflow."""
    return f"Αναφορά υπερχείλισης {SOURCES.get(said_by, said_by)}"


def of_must_visit(said_by: str) -> str:
    """Say that somebody asked for the stop."""
    return f"Έκτακτη στάση {SOURCES.get(said_by, said_by)}"
