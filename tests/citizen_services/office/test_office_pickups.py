"""What the trucks collected from a business is read from the views that telemetry and fleet publish."""

import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asty_citizen_services.municipal import pickups
from asty_citizen_services.registry.models import Application
from sqlalchemy import text

BIN = Path(sys.executable).parent
ANSWERS = {"business_name": "Φούρνος ΕΠΕ", "business_afm": "094259216", "from_day": "2026-10-01", "to_day": "2026-10-31"}


def application() -> Application:
    return Application(id=uuid.uuid4(), procedure="x", answers=ANSWERS, filed_at=datetime(2026, 11, 1, tzinfo=UTC))


def test_a_business_without_telemetry_is_said_to_be_unknown_and_not_to_be_without_lifts(municipality: Any) -> None:
    with municipality.database.begin() as session:
        assert pickups.of(session, application()) is None
        assert pickups.facts(session, application()) == {}


def test_the_lifts_of_a_business_are_counted_from_the_published_views(municipality: Any) -> None:
    for program in ("asty-stream", "asty-cloud-api"):
        done = subprocess.run([BIN / program, "migrate"], env=municipality.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    with municipality.database.begin() as session:
        session.execute(
            text("INSERT INTO fleet.bin (id, tag, stream, volume_l, lat, lon, business) VALUES ('B1', 'AA', 'mixed', 1100, 39, 22, :name)"),
            {"name": "φούρνος επε"},
        )
        for s, (tag, day, kg) in enumerate((("AA", "2026-10-05", 118), ("AA", "2026-11-05", 50), ("BB", "2026-10-05", 70)), start=1):
            session.execute(
                text("INSERT INTO telemetry.lift (edge, epoch, s, t, rx, tag, net) VALUES ('e', :epoch, :s, :t, :t, :tag, :kg)"),
                {"epoch": 1, "s": s, "t": datetime.fromisoformat(f"{day}T06:00:00+00:00"), "tag": tag, "kg": kg},
            )
        found = pickups.of(session, application())
        assert found is not None
        assert (found.bins, found.lifts, found.kg) == (1, 1, 118.0)
        assert pickups.facts(session, application()) == {"lifts": "1", "kg": "118"}
