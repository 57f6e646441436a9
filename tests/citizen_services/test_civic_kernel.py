"""What every room of the citizens' services stands on."""

import pkgutil
import signal
import socket
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import asty_citizen_services
import httpx
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from asty_citizen_services import database, jobs, migrate
from asty_citizen_services.database import SCHEMA, Base
from asty_process.postgres import url
from sqlalchemy import create_engine, text

PACKAGE = Path(asty_citizen_services.__file__).parent


def test_the_tables_of_a_migrated_database_are_those_of_the_models(municipality: Any) -> None:
    for room in pkgutil.iter_modules([str(PACKAGE)]):
        if room.ispkg and (PACKAGE / room.name / "models.py").exists():
            import_module(f"asty_citizen_services.{room.name}.models")
    engine = create_engine(url(municipality.dsn))  # without a search path, which would hide the schema's name
    with engine.connect() as connection:
        options = {
            "include_schemas": True,
            "version_table_schema": SCHEMA,
            "include_name": lambda name, kind, _parents: (
                (kind != "schema" or name == SCHEMA) and not str(name).startswith("procrastinate_")
            ),
            "compare_type": True,
            "compare_server_default": False,
        }
        context = MigrationContext.configure(connection, opts=options)
        differences = [d for d in compare_metadata(context, Base.metadata) if not _is_partial_index(d)]
    engine.dispose()
    assert differences == []


def _is_partial_index(difference: Any) -> bool:
    return difference[0] == "remove_index" and difference[1].dialect_options["postgresql"]["where"] is not None


def test_migrating_again_changes_nothing(municipality: Any) -> None:
    engine = database.for_migrations(municipality.dsn)
    migrate.migrate(engine)
    with engine.connect() as connection:
        assert jobs.install(connection) is False
    engine.dispose()


def test_a_job_of_a_transaction_that_was_rolled_back_is_never_done(municipality: Any) -> None:
    def filing_that_breaks() -> None:
        with municipality.database.begin() as session:
            jobs.defer(session, "notices:deliver", notice="lost")
            raise ConnectionError

    with pytest.raises(ConnectionError):
        filing_that_breaks()
    with municipality.database.begin() as session:
        jobs.defer(session, "notices:deliver", notice="kept")
    with municipality.database.begin() as session:
        assert session.execute(text("SELECT args ->> 'notice' FROM procrastinate_jobs")).scalars().all() == ["kept"]


def test_a_page_that_is_not_there_says_so_in_greek(web: Any) -> None:
    answer = httpx.get(f"{web.url}/nowhere", trust_env=False)
    assert answer.status_code == 404
    assert "Η σελίδα δεν υπάρχει." in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_form_of_another_site_changes_nothing(web: Any) -> None:
    with httpx.Client(base_url=web.url, trust_env=False) as client:
        client.get("/")
        own = client.cookies["asty-csrf"]
        assert client.post("/sign-out", data={"csrf": own}).headers["location"] == "/signed-out"
        assert client.post("/sign-out", data={"csrf": own}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert client.post("/sign-out", data={"csrf": "guessed"}).status_code == 403
        assert client.post("/sign-out").status_code == 403


def test_a_server_of_two_processes_ends_whole_when_it_is_told_to_and_when_its_first_process_is_killed(
    municipality: Any, start: Callable[..., Any]
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**municipality.environment, "ASTY_CITIZEN_PORT": str(port), "ASTY_CITIZEN_PROCESSES": "2"}
    for kill in (signal.SIGTERM, signal.SIGKILL):
        web = start("serve", port=port, environment=environment)
        web.wait(200)
        web.process.send_signal(kill)
        web.process.wait(30)
        deadline = time.monotonic() + 30
        while web.health():
            assert time.monotonic() < deadline, f"a process still answers:\n{web.log.read_text()[-2000:]}"


def test_after_a_restart_of_the_database_the_first_page_is_answered(municipality: Any) -> None:
    with municipality.database.begin() as session:
        session.execute(text("SELECT 1"))
    with psycopg.connect(municipality.dsn, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    for way in (municipality.database.begin, municipality.database.reading):
        with way() as session:
            assert session.scalar(text("SELECT 1")) == 1
