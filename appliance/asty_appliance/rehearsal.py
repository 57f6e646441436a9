"""`asty simulate`, `asty forecast` and `asty bench plan`, which cloud-api does: members don't import each other."""

import os
import sys

import click

from asty_appliance.home import CHECKOUT, Home
from asty_appliance.supervision import Supervision
from asty_appliance.town import executable
from asty_appliance.work import inherited

_PASSED_ON = {"ignore_unknown_options": True, "help_option_names": []}


@click.command(context_settings=_PASSED_ON, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def simulate(arguments: tuple[str, ...]) -> None:
    """A town's month with fixed routes and with forecast-driven plans: km, hours, fuel, overflows (asty simulate --days 30)."""
    _cloud_api("simulate", *arguments)


@click.command(context_settings=_PASSED_ON, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def forecast(arguments: tuple[str, ...]) -> None:
    """What the fill forecast is worth: asty forecast backtest FILE, or --database for the lifts of the town of ./asty up."""
    environment: dict[str, str] = {}
    if "--database" in arguments:
        try:
            programs = Supervision(Home(CHECKOUT / ".asty" / "town")).programs()
        except FileNotFoundError:
            click.echo("asty: no town has been started here: ./asty up makes its database", err=True)
            sys.exit(1)
        environment = {program.name: program for program in programs}["cloud-api"].environment
    _cloud_api("forecast", *arguments, **environment)


@click.command("plan", context_settings=_PASSED_ON, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench_plan(arguments: tuple[str, ...]) -> None:
    """PyVRP alone, OR-Tools alone and ours on published instances, and a re-plan: asty bench plan FILES… --seconds 60 --json."""
    _cloud_api("bench", "plan", *arguments)


def _cloud_api(*arguments: str, **environment: str) -> None:
    program = executable("asty-cloud-api")
    os.execve(program, ["asty-cloud-api", *arguments], inherited() | environment)  # noqa: S606 it takes this process over
