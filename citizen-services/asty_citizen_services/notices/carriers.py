"""Which carriers stand behind the channels: chosen from the settings, wired once."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from asty_citizen_services.identity.notifier import Message, NotSentError
from asty_citizen_services.notices.carrier import Carrier, Parcel, RefusedByCarrierError, UnclearError
from asty_citizen_services.notices.console import ConsoleCarrier
from asty_citizen_services.notices.gateway import Gateway
from asty_citizen_services.notices.mail import Mail
from asty_citizen_services.notices.push import Push
from asty_citizen_services.notices.smpp import Smpp
from asty_citizen_services.notices.tasks import Receipts
from asty_citizen_services.settings import NoticeSettings


@dataclass(frozen=True)
class Carriers:
    """The carriers by channel; `receipts` fetches what became of messages, where the carrier has to be asked."""

    by_channel: Mapping[str, Carrier]
    receipts: Receipts | None = None

    def send(self, message: Message) -> None:
        """Send a one-time code at once, at any hour: somebody waits for it. Raises NotSentError, whatever the reason."""
        carrier = self.by_channel.get("sms" if message.kind == "phone" else "email")
        if carrier is None:
            raise NotSentError(f"no carrier for {message.kind} is set up")
        try:
            carrier.send(Parcel(str(uuid.uuid4()), message.address, message.subject, message.text))
        except (RefusedByCarrierError, UnclearError) as error:
            raise NotSentError(str(error)) from error


def chosen(settings: NoticeSettings) -> Carriers:
    """Return what the settings name for each channel; the console prints where they say so."""
    carriers: dict[str, Carrier] = {}
    receipts: Receipts | None = None
    if settings.smpp is not None:
        smpp = Smpp(settings.smpp)
        carriers["sms"], receipts = smpp, smpp.receipts
    elif settings.gateway is not None:
        carriers["sms"] = Gateway(settings.gateway.address, settings.gateway.key, settings.gateway.sender)
    elif settings.console:
        carriers["sms"] = ConsoleCarrier("sms")
    if settings.mailbox is not None:
        carriers["email"] = Mail(settings.mailbox)
    elif settings.console:
        carriers["email"] = ConsoleCarrier("email")
    if settings.push_key is not None:
        carriers["push"] = Push(settings.push_key, settings.push_contact)
    elif settings.console:
        carriers["push"] = ConsoleCarrier("push")
    return Carriers(carriers, receipts)
