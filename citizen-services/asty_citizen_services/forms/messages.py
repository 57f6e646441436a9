"""What is wrong with an answer and what to do, in Greek and English."""

from jsonschema import ValidationError

from asty_citizen_services.forms.form import Question

_FORMATS = {
    "afm": (
        "Ο ΑΦΜ έχει 9 ψηφία και αυτός δεν είναι σωστός. Ελέγξτε τα ψηφία.",
        "A tax number (AFM) has 9 digits and this one is not right. Check the digits.",
    ),
    "amka": (
        "Ο ΑΜΚΑ έχει 11 ψηφία και αυτός δεν είναι σωστός. Ελέγξτε τα ψηφία.",
        "An AMKA has 11 digits and this one is not right. Check the digits.",
    ),
    "date": (
        "Η ημερομηνία δεν υπάρχει. Γράψτε ημέρα, μήνα και έτος, π.χ. 5 3 1984.",
        "There is no such date. Write day, month and year, as 5 3 1984.",
    ),
    "email": ("Γράψτε μια διεύθυνση e-mail, π.χ. onoma@example.gr.", "Write an e-mail address, as name@example.gr."),
    "file": ("Το αρχείο δεν βρέθηκε. Επιλέξτε το ξανά.", "The file was not found. Choose it again."),
    "iban": (
        "Το IBAN δεν είναι σωστό. Τα ελληνικά αρχίζουν με GR και έχουν 27 χαρακτήρες.",
        "The IBAN is not right. Greek ones begin with GR and have 27 characters.",
    ),
    "identity-card": ("Γράψτε τον αριθμό ταυτότητας, π.χ. ΑΒ 123456.", "Write the number of the identity card, as ΑΒ 123456."),
    "mobile": ("Γράψτε αριθμό κινητού με 10 ψηφία, π.χ. 6912345678.", "Write a mobile number, as 6912345678."),
    "phone": ("Γράψτε αριθμό τηλεφώνου με 10 ψηφία, π.χ. 2421012345.", "Write a phone number, as 2421012345."),
    "postcode": ("Ο Τ.Κ. έχει 5 ψηφία, π.χ. 38221.", "A postcode has 5 digits, as 38221."),
}


def fault_text(error: ValidationError, question: Question, lang: str) -> str:
    """Say one fault in the reader's language."""
    greek, english = _texts(error, question)
    return english if lang == "en" else greek


def _texts(error: ValidationError, question: Question) -> tuple[str, str]:  # noqa: C901  one case a rule: a table would hide the grammar
    limit = error.validator_value
    match error.validator:
        case "required" | "const":
            return _missing(question)
        case "format":
            return _FORMATS[str(limit)]
        case "type" if limit in ("integer", "number"):
            return "Γράψτε έναν αριθμό, μόνο με ψηφία.", "Write a number, in digits only."
        case "enum":
            return "Επιλέξτε μία από τις απαντήσεις.", "Choose one of the answers."
        case "minLength":
            return f"Γράψτε τουλάχιστον {limit} χαρακτήρες.", f"Write {limit} characters or more."
        case "maxLength":
            return f"Γράψτε έως {limit} χαρακτήρες.", f"Write {limit} characters at most."
        case "minimum" | "exclusiveMinimum":
            return f"Ο αριθμός πρέπει να είναι τουλάχιστον {limit}.", f"The number must be {limit} or more."
        case "maximum" | "exclusiveMaximum":
            return f"Ο αριθμός πρέπει να είναι έως {limit}.", f"The number must be {limit} or less."
        case "minItems":
            return f"Χρειάζονται τουλάχιστον {limit}.", f"At least {limit} are needed."
        case "maxItems":
            return f"Μπορείτε να δώσετε έως {limit}.", f"You can give {limit} at most."
        case "notBefore":
            return f"Η ημερομηνία δεν μπορεί να είναι πριν από {error.message}.", f"The date can't be before {error.message}."
        case "notAfter":
            return f"Η ημερομηνία δεν μπορεί να είναι μετά από {error.message}.", f"The date can't be after {error.message}."
    hint = question.hint
    return (
        f"Η απάντηση δεν έχει τη μορφή που χρειάζεται. {hint.el if hint else ''}".strip(),
        f"The answer has not the form needed. {hint.en if hint else ''}".strip(),
    )


def _missing(question: Question) -> tuple[str, str]:
    return f"Συμπληρώστε: {question.label.el}", f"Fill in: {question.label.en}"
