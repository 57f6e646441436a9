"""What notices say, in both languages."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A subject and a body with `{values}` to fill in."""

    subject: str
    body: str

    def fill(self, values: Mapping[str, str | int]) -> "Text":
        """Raises KeyError when a value is missing."""
        return Text(self.subject.format_map(values), self.body.format_map(values))


TEXTS: Mapping[str, Mapping[str, Text]] = {
    "completed": {
        "el": Text("Αρ. πρωτ. {reference}: ο φάκελος συμπληρώθηκε", "Λάβαμε όσα έλειπαν για την αίτησή σας «{subject}» ({reference})."),
        "en": Text("Protocol no. {reference}: completed", "We have received what was missing for “{subject}” ({reference})."),
    },
    "objection_upheld": {
        "el": Text(
            "Αρ. πρωτ. {reference}: η ένσταση έγινε δεκτή",
            "Η ένστασή σας για «{subject}» ({reference}) έγινε δεκτή. Η υπόθεση εξετάζεται εκ νέου. {reason}",
        ),
        "en": Text(
            "Protocol no. {reference}: objection upheld",
            "Your objection on “{subject}” ({reference}) was upheld; the case is taken up again. {reason}",
        ),
    },
    "shelved": {
        "el": Text(
            "Αρ. πρωτ. {reference}: η υπόθεση αρχειοθετήθηκε",
            "Η αίτησή σας «{subject}» ({reference}) αρχειοθετήθηκε, επειδή δεν συμπληρώθηκε εγκαίρως. Μπορείτε να υποβάλετε νέα αίτηση.",
        ),
        "en": Text(
            "Protocol no. {reference}: shelved",
            "“{subject}” ({reference}) was shelved, since it was not completed in time. You may file a new application.",
        ),
    },
    "overdue": {
        "el": Text(
            "Αρ. πρωτ. {reference}: έληξε η προθεσμία",
            "Η νόμιμη προθεσμία για «{subject}» ({reference}) έληξε. Ανατέθηκε στην προϊσταμένη ή τον προϊστάμενο.",
        ),
        "en": Text(
            "Protocol no. {reference}: overdue",
            "The legal term for “{subject}” ({reference}) has run out. It is with the head of department.",
        ),
    },
    "cosign": {
        "el": Text("Αίτημα συνυπογραφής", "Ζητείται η υπογραφή σας για «{subject}» ({reference}). Συνδεθείτε και υπογράψτε: {link}"),
        "en": Text("Your signature is asked for", "Your signature is asked for “{subject}” ({reference}). Sign in and sign: {link}"),
    },
    "handoff": {
        "el": Text("Συνεχίστε την αίτησή σας", "Συνεχίστε από το κινητό σας την αίτηση «{subject}» (ισχύει 24 ώρες, για μία φορά): {link}"),
        "en": Text("Go on with your application", "Go on with “{subject}” on your phone (valid for 24 hours, once): {link}"),
    },
    "handed_over": {
        "el": Text(
            "Αρ. πρωτ. {reference}: διαβιβάστηκε στην υπηρεσία σας",
            "Η υπόθεση «{subject}» ({reference}) διαβιβάστηκε στην υπηρεσία σας, {department}. {reason} Θα τη βρείτε εδώ: {link}",
        ),
        "en": Text(
            "Protocol no. {reference}: sent to your department",
            "“{subject}” ({reference}) was sent to your department, {department}. {reason} You find it here: {link}",
        ),
    },
    "data_longer": {
        "el": Text("Το αίτημά σας για τα δεδομένα σας", "Για το αίτημά σας χρειαζόμαστε δύο μήνες ακόμη. {reason}"),
        "en": Text("Your request on your data", "We need two months more for your request. {reason}"),
    },
    "data_answer": {
        "el": Text("Το αίτημά σας για τα δεδομένα σας", "Απαντήσαμε στο αίτημά σας για τα προσωπικά σας δεδομένα. {reason}"),
        "en": Text("Your request on your data", "We have answered your request on your personal data. {reason}"),
    },
    "fee": {
        "el": Text(
            "Αρ. πρωτ. {reference}: πληρωμή {amount}",
            "Για «{subject}» ({reference}) οφείλετε {amount}. Κωδικός πληρωμής: {code}. "
            "Πληρώστε με κάρτα από την υπόθεσή σας, ή με τον κωδικό σε κάθε τράπεζα, μέσα σε 30 ημέρες.",
        ),
        "en": Text(
            "Protocol no. {reference}: {amount} to pay",
            "{amount} are due for “{subject}” ({reference}) within 30 days. Payment code: {code}, or by card from your case.",
        ),
    },
    "paid": {
        "el": Text("Πληρώθηκε: {amount}", "Λάβαμε {amount} για «{subject}». Την απόδειξη βλέπετε στις πληρωμές σας."),
        "en": Text("Paid: {amount}", "We have received {amount} for “{subject}”. The receipt is under your payments."),
    },
    "unpaid": {
        "el": Text(
            "Αρ. πρωτ. {reference}: η υπόθεση αρχειοθετήθηκε",
            "Η αίτησή σας «{subject}» ({reference}) αρχειοθετήθηκε, επειδή το τέλος δεν πληρώθηκε εγκαίρως. "
            "Μην πληρώσετε με τον παλιό κωδικό· μπορείτε να υποβάλετε νέα αίτηση.",
        ),
        "en": Text(
            "Protocol no. {reference}: shelved",
            "“{subject}” ({reference}) was shelved, since its fee was not paid in time. "
            "Do not pay with the old code; you may file a new application.",
        ),
    },
    "paid_late": {
        "el": Text(
            "Εκπρόθεσμη πληρωμή: {amount}",
            "Λάβαμε {amount} για «{subject}», αλλά δεν οφείλονται πλέον. Το ποσό επιστρέφεται· θα λάβετε ειδοποίηση.",
        ),
        "en": Text(
            "Late payment: {amount}", "We received {amount} for “{subject}”, which are no longer due. You will get them back and be told."
        ),
    },
    "refund": {
        "el": Text(
            "Επιστροφή: {amount}", "Τα {amount} που πληρώσατε για «{subject}» σας επιστρέφονται. Θα λάβετε ειδοποίηση με την επιστροφή."
        ),
        "en": Text("Refund: {amount}", "The {amount} that you paid for “{subject}” go back to you. You will be told when they are sent."),
    },
    "refunded": {
        "el": Text("Επιστράφηκε: {amount}", "Τα {amount} για «{subject}» επιστράφηκαν στον λογαριασμό από τον οποίο πληρώσατε."),
        "en": Text("Refunded: {amount}", "The {amount} for “{subject}” were sent back to the account that you paid from."),
    },
    "nursery_provisional_place": {
        "el": Text(
            "Παιδικοί σταθμοί: προσωρινός πίνακας",
            "Η αίτηση {reference} έχει θέση στον προσωρινό πίνακα: {station}, σειρά {rank}, μόρια {points}. "
            "Ένσταση από την υπόθεσή σας έως {until}.",
        ),
        "en": Text(
            "Nurseries: provisional list",
            "Application {reference} has a place on the provisional list: {station}, rank {rank}, {points} points. "
            "You may object under your case until {until}.",
        ),
    },
    "nursery_provisional_waits": {
        "el": Text(
            "Παιδικοί σταθμοί: προσωρινός πίνακας",
            "Η αίτηση {reference} είναι σε αναμονή στον προσωρινό πίνακα: {station}, σειρά {rank}, μόρια {points}. "
            "Ένσταση από την υπόθεσή σας έως {until}.",
        ),
        "en": Text(
            "Nurseries: provisional list",
            "Application {reference} is on the waiting list: {station}, rank {rank}, {points} points. "
            "You may object under your case until {until}.",
        ),
    },
    "nursery_final_place": {
        "el": Text("Παιδικοί σταθμοί: οριστικός πίνακας", "Η αίτηση {reference} έχει θέση: {station}. Θα λάβετε την απόφαση εγγραφής."),
        "en": Text("Nurseries: final list", "Application {reference} has a place: {station}. You will get the decision."),
    },
    "nursery_final_waits": {
        "el": Text(
            "Παιδικοί σταθμοί: οριστικός πίνακας",
            "Η αίτηση {reference} είναι σε αναμονή: {station}, σειρά {rank}. Θα ειδοποιηθείτε αν αδειάσει θέση.",
        ),
        "en": Text(
            "Nurseries: final list", "Application {reference} waits: {station}, rank {rank}. You are told when a place becomes free."
        ),
    },
    "nursery_moved_up": {
        "el": Text("Παιδικοί σταθμοί: έχετε θέση", "Άδειασε θέση για την αίτηση {reference}: {station}. Θα λάβετε την απόφαση εγγραφής."),
        "en": Text("Nurseries: you have a place", "A place became free for application {reference}: {station}. You will get the decision."),
    },
    "nursery_withdrawn": {
        "el": Text("Αρ. πρωτ. {reference}: ανάκληση", "Η αίτηση «{subject}» ({reference}) ανακλήθηκε."),
        "en": Text("Protocol no. {reference}: withdrawn", "“{subject}” ({reference}) was withdrawn."),
    },
    "nursery_accepted": {
        "el": Text(
            "Αρ. πρωτ. {reference}: η ένσταση έγινε δεκτή",
            "Η ένστασή σας για «{subject}» ({reference}) έγινε δεκτή. Η σειρά αλλάζει στον οριστικό πίνακα. {reason}",
        ),
        "en": Text(
            "Protocol no. {reference}: objection upheld",
            "Your objection on “{subject}” ({reference}) was upheld. The final list changes accordingly. {reason}",
        ),
    },
    "unplaced": {
        "el": Text(
            "Αρ. πρωτ. {reference}: δεν βρέθηκε θέση",
            "Για την αίτησή σας «{subject}» ({reference}) δεν βρέθηκε θέση αυτή τη χρονιά. {reason}",
        ),
        "en": Text("Protocol no. {reference}: no place", "No place was found for “{subject}” ({reference}) this year. {reason}"),
    },
    "filed": {
        "el": Text(
            "Αρ. πρωτ. {reference}",
            "Η αίτησή σας «{subject}» πρωτοκολλήθηκε με αριθμό {reference}. Την πορεία της βλέπετε στις υποθέσεις σας.",
        ),
        "en": Text(
            "Protocol no. {reference}",
            "Your application “{subject}” was filed under number {reference}. Follow it under your cases.",
        ),
    },
    "incomplete": {
        "el": Text(
            "Αρ. πρωτ. {reference}: χρειάζεται συμπλήρωση",
            "Για την αίτησή σας «{subject}» ({reference}) λείπουν στοιχεία: {reason} "
            "Συμπληρώστε τα μέσα σε 30 ημέρες από τις υποθέσεις σας.",
        ),
        "en": Text(
            "Protocol no. {reference}: something is missing",
            "Your application “{subject}” ({reference}) is not complete: {reason} Complete it within 30 days under your cases.",
        ),
    },
    "issued": {
        "el": Text(
            "Αρ. πρωτ. {reference}: το έγγραφο εκδόθηκε",
            "Το έγγραφο «{subject}» ({reference}) υπογράφηκε. Το λαμβάνετε από τις υποθέσεις σας.",
        ),
        "en": Text("Protocol no. {reference}: issued", "“{subject}” ({reference}) is signed. You find it under your cases."),
    },
    "rejected": {
        "el": Text(
            "Αρ. πρωτ. {reference}: απόρριψη",
            "«{subject}» ({reference}). Την απόφαση με τον λόγο βλέπετε στις υποθέσεις σας· ένσταση υποβάλλετε μέσα σε 15 ημέρες.",
        ),
        "en": Text(
            "Protocol no. {reference}: rejected",
            "“{subject}” ({reference}). The decision and its reason are under your cases; you may object within 15 days.",
        ),
    },
    "forwarded": {
        "el": Text(
            "Αρ. πρωτ. {reference}: διαβιβάστηκε",
            "Η αίτησή σας «{subject}» ({reference}) διαβιβάστηκε στην αρμόδια υπηρεσία: {department}. {reason}",
        ),
        "en": Text(
            "Protocol no. {reference}: sent on",
            "Your application “{subject}” ({reference}) was sent to the right department: {department}. {reason}",
        ),
    },
    "objection_denied": {
        "el": Text(
            "Αρ. πρωτ. {reference}: η ένσταση δεν έγινε δεκτή", "Η ένστασή σας για «{subject}» ({reference}) δεν έγινε δεκτή: {reason}"
        ),
        "en": Text("Protocol no. {reference}: objection denied", "Your objection on “{subject}” ({reference}) was denied: {reason}"),
    },
}
