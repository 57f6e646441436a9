"""The municipality's departments: read from a file, known by their slug."""

import re
import tomllib
from pathlib import Path

from asty_process.environment import OperatorError
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from asty_citizen_services.identity.models import Department

OWN = Path(__file__).parent / "departments.toml"


class DepartmentsFileError(OperatorError):
    """The file of departments can't be taken: says which line and what was expected. Nothing was changed."""


def read(path: Path) -> dict[str, tuple[str, str]]:
    """Return Greek and English name by slug. Raises DepartmentsFileError, OSError."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise DepartmentsFileError(f"{path}: no TOML: {error}") from error
    for slug, names in found.items():
        if not re.fullmatch(r"[a-z][a-z0-9-]{1,40}", slug):
            raise DepartmentsFileError(f"{path}: {slug!r} is no slug: expected a-z, 0-9 and hyphens")
        if not (isinstance(names, list) and len(names) == 2 and all(isinstance(name, str) and name.strip() for name in names)):
            raise DepartmentsFileError(f'{path}: {slug} = {names!r}: expected ["Greek name", "English name"]')
    return {slug: (names[0], names[1]) for slug, names in found.items()}


def store(session: Session, departments: dict[str, tuple[str, str]]) -> None:
    """Add what is new and rename what changed; what the file lacks stays, since cases name it."""
    for slug, (greek, english) in departments.items():
        row = insert(Department).values(slug=slug, name_el=greek, name_en=english)
        session.execute(row.on_conflict_do_update(index_elements=["slug"], set_={"name_el": greek, "name_en": english}))
