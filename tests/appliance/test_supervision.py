"""What an operator relies on: crashes are restarted and shown, stop is clean, data and addresses survive."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from asty_appliance import unprivileged
from asty_appliance.home import Home, choose_ports
from asty_appliance.program import FileCheck, Program
from asty_appliance.servers import postgres
from asty_appliance.supervision import NotRunningError, NotWellError, Supervision

PATIENCE = 30.0


def until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            pytest.fail(f"waited {PATIENCE:.0f} s for: {what}")
        time.sleep(0.05)


def script(home: Home, name: str, text: str, **options: object) -> Program:
    path = home.run / f"{name}.py"
    path.write_text(text)
    return Program(name=name, stage="process", command=(sys.executable, str(path)), folder=str(home.root), **options)  # type: ignore[arg-type]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "a home with 100% odd letters ώ")
    home.make()
    return home


@pytest.fixture
def supervision(home: Home) -> Iterator[Supervision]:
    supervision = Supervision(home)
    yield supervision
    if supervision.is_running():
        supervision.shut_down()


def test_a_killed_program_is_started_again_and_status_shows_the_new_one(home: Home, supervision: Supervision) -> None:
    program = script(home, "steady", "import time; time.sleep(600)")
    supervision.configure([program])
    supervision.launch()
    supervision.start([program])
    before = supervision.pid("steady")
    os.kill(before, signal.SIGKILL)
    until(lambda: supervision.pid("steady") not in {0, before}, "a new process")
    until(lambda: supervision.conditions()[0].well, "the new process is well")


def test_a_program_that_keeps_dying_is_shown_and_its_last_words_are_told(home: Home, supervision: Supervision) -> None:
    program = script(home, "sickly", "import sys; sys.exit('the tank is empty')", check=FileCheck(str(home.run / "never")))
    supervision.configure([program])
    supervision.launch()
    with pytest.raises(NotWellError, match=r"(?s)sickly is not well.*the tank is empty"):
        supervision.start([program], within=8)
    condition = supervision.conditions()[0]
    assert not condition.well
    assert condition.state in {"backoff", "starting"}
    assert condition.says


def test_stopping_ends_every_program_and_then_nothing_answers(home: Home, supervision: Supervision) -> None:
    wrote = home.run / "ended"
    text = f"""
import pathlib, signal, sys, time
def end(*_):
    pathlib.Path({str(wrote)!r}).write_text("in order")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
time.sleep(600)
"""
    program = script(home, "orderly", text)
    supervision.configure([program])
    supervision.launch()
    supervision.start([program])
    until(lambda: supervision.conditions()[0].state == "running", "running")
    pid = supervision.pid("orderly")
    supervision.shut_down()
    assert wrote.read_text() == "in order"
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    with pytest.raises(NotRunningError):
        supervision.conditions()


def test_settings_reach_a_program_whatever_letters_they_hold(home: Home, supervision: Supervision) -> None:
    wrote = home.run / "seen"
    value = 'per cent %, quote " and = sign, ώ'
    text = f"import os, pathlib, time; pathlib.Path({str(wrote)!r}).write_text(os.environ['ASTY_WORD']); time.sleep(600)"
    program = script(home, "reader", text, environment={"ASTY_WORD": value}, check=FileCheck(str(wrote)))
    supervision.configure([program])
    supervision.launch()
    supervision.start([program])
    until(lambda: wrote.read_text() != "", "the value is written")
    assert wrote.read_text() == value


def test_a_leftover_setting_of_the_shell_does_not_reach_a_program(
    home: Home, supervision: Supervision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTY_DATABASE_DSN", "host=elsewhere")
    wrote = home.run / "seen"
    text = (
        f"import os, pathlib, time; pathlib.Path({str(wrote)!r}).write_text(os.environ.get('ASTY_DATABASE_DSN', 'none')); time.sleep(600)"
    )
    program = script(home, "reader", text, check=FileCheck(str(wrote)))
    supervision.configure([program])
    supervision.launch()
    supervision.start([program])
    until(lambda: wrote.read_text() != "", "the value is written")
    assert wrote.read_text() == "none"


def test_the_database_survives_a_restart_and_a_kill(home: Home, supervision: Supervision) -> None:
    ports = choose_ports(home, preferred=False)
    server = postgres.program(home, ports["postgres"])
    supervision.configure([server])
    supervision.launch()
    supervision.start([server])
    postgres.create_database(home, ports["postgres"])
    dsn = postgres.dsn(home, ports["postgres"])
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'ΤΡΙ-4021' AS plate")
    os.kill(supervision.pid("postgres"), signal.SIGKILL)
    until(lambda: _plate(dsn) == "ΤΡΙ-4021", "the row is there after a kill")
    supervision.shut_down()
    supervision.configure([server])
    supervision.launch()
    supervision.start([server])
    assert _plate(dsn) == "ΤΡΙ-4021"


def test_the_database_refuses_whoever_lacks_the_password(home: Home, supervision: Supervision) -> None:
    ports = choose_ports(home, preferred=False)
    server = postgres.program(home, ports["postgres"])
    supervision.configure([server])
    supervision.launch()
    supervision.start([server])
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=ports["postgres"], user="asty", dbname="postgres", password="guess")


def test_addresses_stay_the_same_while_their_ports_are_free(home: Home) -> None:
    first = choose_ports(home, preferred=False)
    assert choose_ports(home, preferred=False) == first
    assert len(set(first.values())) == len(first)


def _plate(dsn: str) -> str:
    try:
        with psycopg.connect(dsn, connect_timeout=2) as connection:
            row = connection.execute("SELECT plate FROM kept").fetchone()
    except psycopg.OperationalError:
        return ""
    return str(row[0]) if row else ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers as somebody else")
def test_programs_that_others_cannot_reach_are_copied_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unprivileged, "_OF_ROOT", tmp_path / "var")
    closed = tmp_path / "closed"
    (closed / "bin").mkdir(parents=True)
    (closed / "bin" / "postgres").write_text("the server")
    closed.chmod(0o700)
    copy = unprivileged.within_reach(closed, ("bin",), "postgres-18")
    assert copy == tmp_path / "var" / "postgres-18"
    assert (copy / "bin" / "postgres").read_text() == "the server"
    assert unprivileged.within_reach(closed, ("bin",), "postgres-18") == copy
