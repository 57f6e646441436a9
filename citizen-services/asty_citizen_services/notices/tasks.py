"""The jobs of notices: fan-out, one send for each channel, receipts."""

import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from procrastinate import Blueprint, RetryStrategy

from asty_citizen_services import jobs
from asty_citizen_services.database import Database
from asty_citizen_services.identity.notifier import NotSentError
from asty_citizen_services.notices import delivery as deliveries
from asty_citizen_services.notices.carrier import Carrier, Receipt, RefusedByCarrierError, UnclearError
from asty_citizen_services.notices.delivery import MOST_TRIES
from asty_citizen_services.notices.models import NoticeDelivery

log = logging.getLogger(__name__)

type Receipts = Callable[[], Iterable[Receipt]]


def tasks(database: Database, carriers: Mapping[str, Carrier], zone: ZoneInfo, address: str, receipts: Receipts | None = None) -> Blueprint:
    """Return the tasks `deliver` (a notice to its channels), `send` (one of them) and, with `receipts`, `collect` each minute.

    A channel without a carrier keeps its deliveries waiting for none: they fail at once, and the citizen's page has the notice.
    """
    blueprint = Blueprint()
    sender = Sender(database, carriers, zone, address)

    @blueprint.task(name="deliver", queue="notices", retry=RetryStrategy(max_attempts=8, exponential_wait=4))
    def deliver(notice: str) -> None:
        """Make the deliveries of a notice; without an address it waits on the citizen's page."""
        with database.begin() as session:
            deliveries.fan_out(session, uuid.UUID(notice), zone, datetime.now(UTC))

    @blueprint.task(
        name="send",
        queue="notices",
        retry=RetryStrategy(max_attempts=MOST_TRIES, exponential_wait=4, retry_exceptions={NotSentError}),
    )
    def send(delivery: str) -> None:
        """Hand one delivery to its carrier. Raises NotSentError while it is to be tried again."""
        sender.send(uuid.UUID(delivery), datetime.now(UTC))

    if receipts is not None:

        @blueprint.periodic(cron="* * * * *")
        @blueprint.task(name="collect", queue="notices", queueing_lock="notices:collect", lock="notices:collect")
        def collect(timestamp: int) -> None:  # noqa: ARG001  procrastinate passes when it was due
            """Fetch what the message centre knows of what was sent."""
            for receipt in receipts():
                with database.begin() as session:
                    if not deliveries.receive(session, receipt):
                        log.warning("event=foreign_receipt id=%s", receipt.carrier_id)

    return blueprint


class Sender:
    """Sends deliveries one by one; between two transactions the carrier is called."""

    def __init__(self, database: Database, carriers: Mapping[str, Carrier], zone: ZoneInfo, address: str) -> None:
        self._database, self._carriers, self._zone, self._address = database, carriers, zone, address

    def send(self, delivery: uuid.UUID, now: datetime) -> None:
        """Send a delivery unless it is settled or has to wait. Raises NotSentError while it is to be tried again."""
        repeatable = {channel: carrier.repeatable for channel, carrier in self._carriers.items()}
        with self._database.begin() as session:
            task = deliveries.take(session, delivery, self._zone, now, self._address, repeatable=repeatable)
            if task.do == "wait":
                jobs.defer(session, "notices:send", queue="notices", at=task.at, delivery=str(delivery))
        if task.do != "send":
            return
        assert task.parcel is not None
        carrier = self._carriers.get(task.channel)
        if carrier is None:
            self._settle(delivery, f"no carrier for {task.channel} is set up", now, "failed")
            return
        try:
            ids = carrier.send(task.parcel)
        except RefusedByCarrierError as error:
            self._settle(delivery, str(error), now, "failed")
        except UnclearError as error:
            self._settle(delivery, str(error), now, "unclear")
        except NotSentError as error:
            self._try_again(delivery, str(error), now)
            raise
        else:
            with self._database.begin() as session:
                deliveries.sent(session, delivery, ids, now)

    def _settle(self, delivery: uuid.UUID, why: str, now: datetime, state: deliveries.Unsent) -> None:
        log.warning("event=notice_not_sent delivery=%s state=%s why=%r", delivery, state, why)
        with self._database.begin() as session:
            deliveries.not_sent(session, delivery, why, now, state=state)

    def _try_again(self, delivery: uuid.UUID, why: str, now: datetime) -> None:
        with self._database.begin() as session:
            tried = session.get_one(NoticeDelivery, delivery).tries
        self._settle(delivery, why, now, "failed" if tried >= MOST_TRIES else "waiting")
