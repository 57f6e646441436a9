"""`asty-citizen-services procedures new | check`: for whoever makes or changes a folder. No database is needed."""

import argparse
import re
import sys
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from asty_process.environment import OperatorError

from asty_citizen_services import settings

DEFAULT_DAYS = 50


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to a parser."""
    procedures = commands.add_parser("procedures", help="the folders of the procedures").add_subparsers(required=True)
    checking = procedures.add_parser(
        "check", help="check folders, all without a name: says each fault with file and line, and then exits with 1"
    )
    checking.add_argument("folder", nargs="*", type=Path)
    _departments(checking)
    checking.set_defaults(run=_check)
    making = procedures.add_parser("new", help="make a folder that passes the check and can be filed; asks for what is not given")
    making.add_argument("slug", help="its address, such as adeia-topothetisis-kadou")
    making.add_argument("--title", help="what it is called, in Greek")
    making.add_argument("--title-en", help="and in English")
    making.add_argument("--department", help="the slug of the department that does it")
    making.add_argument("--deadline", type=int, metavar="DAYS", help=f"the legal term (default: {DEFAULT_DAYS})")
    making.add_argument("--fee", metavar="EUROS", help="such as 10 or 12,50 (default: none)")
    making.add_argument("--signature", choices=("head", "officer"), help="who signs (default: head)")
    making.add_argument("--into", type=Path, help="the folder of the municipality's own procedures (default: ASTY_CITIZEN_PROCEDURES)")
    _departments(making)
    making.set_defaults(run=_new)


def _departments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--departments", type=Path, metavar="FILE", help="the municipality's own list of departments, as it was imported")


def _check(wanted: argparse.Namespace) -> None:
    from asty_citizen_services.identity import departments
    from asty_citizen_services.procedures import catalogue, sense

    folders: Sequence[Path] = wanted.folder or catalogue.folders(beside=settings.procedures())
    for folder in folders:
        if not folder.is_dir():
            raise OperatorError(f"{folder}: there is no such folder")
    whole, faults = sense.check(folders, departments.read(wanted.departments or departments.OWN))
    for fault in faults:
        sys.stdout.write(f"{fault}\n")
    if faults:
        sys.exit(f"asty-citizen-services: {len(faults)} faults in {len(folders)} procedures")
    unsure = sum(one.manifest.needs_lawyer for one in whole)
    sys.stdout.write(f"{len(whole)} procedures are whole; of {unsure} the municipality's lawyer has yet to confirm the law\n")


def _new(wanted: argparse.Namespace) -> None:
    from asty_citizen_services.identity import departments
    from asty_citizen_services.procedures import catalogue, making, sense

    beside = wanted.into or settings.procedures()
    if beside is None:
        raise OperatorError("where shall it lie? name the municipality's folder with --into or ASTY_CITIZEN_PROCEDURES")
    beside.mkdir(parents=True, exist_ok=True)
    offices = departments.read(wanted.departments or departments.OWN)
    title = wanted.title or _asked("Title in Greek")
    title_en = wanted.title_en or _asked("Title in English")
    department = wanted.department or _asked(f"Department ({', '.join(offices)})")
    if department not in offices:
        raise OperatorError(f"there is no department {department}; known are {', '.join(offices)}. Nothing was written")
    days = wanted.deadline if wanted.deadline is not None else int(_asked("Legal term in days", str(DEFAULT_DAYS)))
    cents = _cents(wanted.fee if wanted.fee is not None else _asked("Fee in euros", "0"))
    signs = wanted.signature or _asked("Who signs (head, officer)", "head")
    if signs not in ("head", "officer"):
        raise OperatorError(f"who signs? expected head or officer, not {signs}. Nothing was written")
    taken = [_number(folder) for folder in catalogue.folders(beside=beside)]
    wish = making.Wish(
        wanted.slug, title, title_en, department, offices[department][0], str(max([13, *taken]) + 1), days, cents,
        "officer" if signs == "officer" else "head",
    )  # fmt: skip
    folder = making.make(wish, beside)
    _, faults = sense.check([folder], offices)
    if faults:
        making.remove(folder)
        raise OperatorError("\n".join([*faults, "nothing was kept"]))
    sys.stdout.write(
        f"{folder} is made and passes the check. Change its form, law and document, then:\n"
        f"  asty procedures check {folder}\n"
        f"and start the services anew, with ASTY_CITIZEN_PROCEDURES={beside}: citizens find it at /services/{wanted.slug}\n"
    )


def _asked(what: str, otherwise: str = "") -> str:
    """Ask whoever sits at the terminal; where nobody does, take what stands `otherwise`. Raises OperatorError."""
    answer = input(f"{what}{f' [{otherwise}]' if otherwise else ''}: ").strip() if sys.stdin.isatty() else ""
    if not (answer or otherwise):
        raise OperatorError(f"{what}? It is needed. Nothing was written")
    return answer or otherwise


def _cents(text: str) -> int:
    try:
        cents = Decimal(text.replace(",", ".")) * 100
    except InvalidOperation:
        cents = Decimal(-1)
    if cents < 0 or cents != int(cents):
        raise OperatorError(f"a fee is an amount of euros such as 10 or 12,50, not {text}. Nothing was written")
    return int(cents)


def _number(folder: Path) -> int:
    """Return the whole number in front of a folder's number, 0 where it can't be read."""
    path = folder / "manifest.toml"
    found = re.search(r'^number\s*=\s*"(\d+)', path.read_text(encoding="utf-8"), re.MULTILINE) if path.exists() else None
    return int(found[1]) if found else 0
