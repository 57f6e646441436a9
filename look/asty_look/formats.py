"""Numbers and times as people here write them: `5.240 kg`, `07:42 EET`, `24 Νοε, 07:42 EET`. Data stay SI and UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal

NOTHING = "—"
NBSP = "\u00a0"


@dataclass(frozen=True, slots=True)
class Formats:
    """One language and one town's time zone. None reads as a dash: unknown is never zero."""

    lang: str
    zone: ZoneInfo

    def number(self, value: float | None, digits: int = 0) -> str:
        if value is None:
            return NOTHING
        return format_decimal(value, format="#,##0" + ("." + "#" * digits if digits else ""), locale=self._locale)

    def quantity(self, value: float | None, unit: str, digits: int = 0) -> str:
        """Write a value with its unit, which no line break parts from it."""
        return NOTHING if value is None else f"{self.number(value, digits)}{NBSP}{unit}"

    def kg(self, value: float | None) -> str:
        """Write kilograms; a scale of refuse trucks resolves half a kilogram at best."""
        return self.quantity(value, "kg", 1 if value is not None and value % 1 else 0)

    def euro(self, value: float | None) -> str:
        """Write money with its cents: `12,30 €`."""
        return NOTHING if value is None else f"{format_decimal(value, format='#,##0.00', locale=self._locale)}{NBSP}€"

    def percent(self, share: float | None) -> str:
        """Write a share 0..1, rounded down to 0.1 %: incomplete never reads as 100 %."""
        return NOTHING if share is None else f"{self.number(int(share * 1000) / 10, 1)}{NBSP}%"

    def clock(self, at: datetime | None, *, seconds: bool = False) -> str:
        """Write the local time with its zone: `07:42 EET`."""
        if at is None:
            return NOTHING
        local = at.astimezone(self.zone)
        return f"{local:%H:%M:%S}{NBSP}{local.tzname()}" if seconds else f"{local:%H:%M}{NBSP}{local.tzname()}"

    def moment(self, at: datetime | None, now: datetime | None = None) -> str:
        """Write the local time, with the day unless it is today's."""
        if at is None:
            return NOTHING
        local, today = at.astimezone(self.zone), (now or datetime.now(UTC)).astimezone(self.zone)
        if local.date() == today.date():
            return self.clock(at)
        return f"{self.day(at, with_year=local.year != today.year)}, {self.clock(at)}"

    def day(self, at: datetime | None, *, with_year: bool = False) -> str:
        if at is None:
            return NOTHING
        return format_date(at.astimezone(self.zone), "d MMM y" if with_year else "d MMM", locale=self._locale).replace(" ", NBSP)

    def local_day(self, day: date | None) -> str:
        """Write a day that is already local: `Τρί 24 Νοε`."""
        return NOTHING if day is None else format_date(day, "EEE d MMM", locale=self._locale).replace(" ", NBSP)

    def ago(self, at: datetime | None, now: datetime | None = None) -> str:
        """Write how long ago: `πριν από 3 λεπτά`."""
        if at is None:
            return NOTHING
        delta = at - (now or datetime.now(UTC))
        return str(format_timedelta(min(delta, -delta), granularity="second", threshold=1, add_direction=True, locale=self._locale))

    def iso(self, at: datetime | None) -> str:
        """Write the machine's form for <time datetime>: UTC, ISO 8601."""
        return "" if at is None else at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    @property
    def _locale(self) -> str:
        return {"el": "el_GR", "en": "en_GB"}[self.lang]
