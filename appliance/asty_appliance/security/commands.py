"""`asty enrol …` and `asty staff …`, which cloud-api does, and `asty broker config`."""

import os
import sys
from pathlib import Path, PurePosixPath

import click
from asty_contracts.ids import is_name

from asty_appliance.home import CHECKOUT, Home
from asty_appliance.security.mosquitto import Tls, access, configuration, instances
from asty_appliance.supervision import Supervision
from asty_appliance.town import executable
from asty_appliance.work import inherited


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.option("--demo", "of_demo", is_flag=True)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def staff(of_demo: bool, arguments: tuple[str, ...]) -> None:
    """Who may sign in to the fleet's pages, and which programs may ask: add, list, leave, token, tokens, end-token."""
    environment = _environment(Home(CHECKOUT / ".asty" / ("demo" if of_demo else "town")))
    program = executable("asty-cloud-api")
    os.execve(program, ["asty-cloud-api", "staff", *arguments], inherited() | environment)  # noqa: S606 it takes this process over


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def enrol(arguments: tuple[str, ...]) -> None:
    """Certificates of edges: prepare, claim, list, approve, refuse, revoke, publish, code (asty enrol claim --edge truck-07)."""
    environment = _environment(Home(CHECKOUT / ".asty" / "town"))
    if "ASTY_CA_FOLDER" not in environment:
        click.echo(
            "asty: this town was started without certificates: ASTY_PRODUCTION=1 ASTY_BROKER_HOSTS=… ./asty up starts it with them",
            err=True,
        )
        sys.exit(1)
    if arguments[:1] == ("code",):
        click.echo(environment["ASTY_ENROLMENT_CODE"])
        return
    program = executable("asty-cloud-api")
    os.execve(program, ["asty-cloud-api", "enrol", *arguments], inherited() | environment)  # noqa: S606 it takes this process over


def _environment(home: Home) -> dict[str, str]:
    """Return what cloud-api is told in this home, as it was started last."""
    try:
        programs = {program.name: program for program in Supervision(home).programs()}
    except FileNotFoundError:
        click.echo("asty: no town has been started here: ./asty up makes its database and its authorities", err=True)
        sys.exit(1)
    return dict(programs["cloud-api"].environment)


@click.group()
def broker() -> None:
    """The MQTT broker of a deployment past one machine."""


@broker.command("config")
@click.option("--org", required=True, help="The town's name in topics and certificates.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Write mosquitto.conf and acl there.")
@click.option(
    "--etc", default="/etc/mosquitto/asty", show_default=True, help="Where both and the certificates will lie on the broker's machine."
)
@click.option("--data", default="/var/lib/mosquitto", show_default=True)
@click.option("--port", default=8883, show_default=True)
@click.option("--ingest", default=1, show_default=True, help="How many ingest processes connect, each with its own certificate.")
@click.option("--stream", default=1, show_default=True, help="How many stream workers.")
def config(org: str, out: Path, etc: str, data: str, port: int, ingest: int, stream: int) -> None:
    """Write the configuration that the appliance would run itself."""
    if not is_name(org):
        raise click.BadParameter(f"{org!r}: expected 1 to 32 of a-z, 0-9 and inner hyphens", param_hint="--org")
    out.mkdir(parents=True, exist_ok=True)
    at = PurePosixPath(etc)
    listener = Tls(port, at, at / "acl", PurePosixPath(data) / "asty.pid")
    (out / "mosquitto.conf").write_text(configuration(listener, PurePosixPath(data), production=True))
    (out / "acl").write_text(access(org, instances("asty-ingest", ingest), instances("asty-stream", stream)))
    click.echo(f"{out}/mosquitto.conf and {out}/acl are written; docs/enrolment.md says which certificates go beside them")
