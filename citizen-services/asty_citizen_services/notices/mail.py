"""E-mail by SMTP (RFC 5321), encrypted by STARTTLS or from the first byte; the server's certificate is checked."""

import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, formatdate

from asty_citizen_services.identity.notifier import NotSentError
from asty_citizen_services.notices.carrier import Parcel, RefusedByCarrierError, UnclearError
from asty_citizen_services.settings import MailSettings


class Mail:
    """The carrier of e-mail. A `Message-ID` made of the reference lets mailboxes fold a repeated message, but none has to."""

    repeatable = False

    def __init__(self, mailbox: MailSettings, *, timeout: float = 20, trust: ssl.SSLContext | None = None) -> None:
        self._mailbox, self._timeout, self._trust = mailbox, timeout, trust or ssl.create_default_context()

    def send(self, parcel: Parcel) -> tuple[str, ...]:
        """Hand a message to the server. Raises as `Carrier.send` says."""
        letter = self._letter(parcel)
        handed_over = False
        try:
            with self._connect() as server:
                if self._mailbox.user:
                    server.login(self._mailbox.user, self._mailbox.password)
                handed_over = True
                server.send_message(letter)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = error.recipients[parcel.address]
            text = f"{code} {said.decode('utf-8', 'replace')}"
            raise (RefusedByCarrierError(text) if code >= 500 else NotSentError(text)) from error
        except smtplib.SMTPAuthenticationError as error:
            raise NotSentError(f"the mail server refuses our account: {error.smtp_code}; check ASTY_CITIZEN_SMTP_USER") from error
        except smtplib.SMTPServerDisconnected as error:
            if handed_over:
                raise UnclearError("the mail server hung up while it took the message") from error
            raise NotSentError(f"the mail server hung up: {error}") from error
        except smtplib.SMTPResponseException as error:
            text = f"{error.smtp_code} {error.smtp_error!r}"
            raise (RefusedByCarrierError(text) if handed_over and error.smtp_code >= 500 else NotSentError(text)) from error
        except TimeoutError as error:
            raise (UnclearError if handed_over else NotSentError)("the mail server does not answer in time") from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotSentError(f"the mail server at {self._mailbox.host}:{self._mailbox.port}: {error}") from error
        return (str(letter["Message-ID"]),)

    def _connect(self) -> smtplib.SMTP:
        box = self._mailbox
        if box.security == "tls":
            return smtplib.SMTP_SSL(box.host, box.port, timeout=self._timeout, context=self._trust)
        server = smtplib.SMTP(box.host, box.port, timeout=self._timeout)
        if box.security == "starttls":
            try:
                server.starttls(context=self._trust)
            except BaseException:
                server.close()
                raise
        return server

    def _letter(self, parcel: Parcel) -> EmailMessage:
        letter = EmailMessage(policy=SMTP)
        letter["Subject"] = parcel.subject
        letter["From"] = formataddr((self._mailbox.name, self._mailbox.sender))
        letter["To"] = parcel.address
        letter["Date"] = formatdate()
        letter["Message-ID"] = f"<{parcel.reference}@{self._mailbox.sender.rpartition('@')[2]}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(f"{parcel.text}\n\n{parcel.link}\n" if parcel.link else f"{parcel.text}\n")
        return letter
