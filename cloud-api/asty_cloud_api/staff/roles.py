"""Who may do what, in one table: whoever is signed in reads, acts need a role, and what is not named here an administrator. Pure."""

from enum import StrEnum


class Role(StrEnum):
    """What an account or a token may do. An administrator may do everything."""

    VIEWER = "viewer"
    DISPATCHER = "dispatcher"
    SAFETY_OFFICER = "safety-officer"
    ADMINISTRATOR = "administrator"


TERMS = {
    Role.VIEWER: "Viewer",
    Role.DISPATCHER: "Dispatcher",
    Role.SAFETY_OFFICER: "Safety officer",
    Role.ADMINISTRATOR: "Administrator",
}
READING = frozenset({"GET", "HEAD", "OPTIONS"})
PUBLIC = frozenset({"/health", "/metrics", "/when", "/api/eta", "/api/openapi.json", "/cab", "/api/enrolment"})
"""For everybody. An edge that enrols proves itself by its claim; /metrics has figures of the process and nothing of the town."""
STREETS = frozenset({"/api/streets.geojson", "/api/areas.geojson", "/api/places.geojson"})
"""The map, which is OpenStreetMap's: a tablet keeps it before anybody has signed in."""
OWN_DOOR = ("/sign-in", "/static/", "/cab/", "/api/cab/")
"""Below these nobody of the office is asked for: the sign-in itself, files of the look, the cab, where drivers have PIN or card."""
PHOTOS = "/api/cab/photos/"
ACTS = {
    Role.DISPATCHER: ("/board", "/service", "/tickets", "/api/closures", "/api/plan-triggers", "/api/plans"),
    Role.SAFETY_OFFICER: ("/alarms", "/api/alarms", "/safety", "/api/safety"),
}
EVERYBODY = ("/sign-out",)


def needed(method: str, path: str) -> Role | None:
    """The role that this request needs; None for what everybody may."""
    reads = method in READING
    if reads and path.startswith(PHOTOS):
        return Role.VIEWER
    if path in PUBLIC or (reads and path in STREETS) or _below(path, OWN_DOOR):
        return None
    if reads or _below(path, EVERYBODY):
        return Role.VIEWER
    return next((role for role, paths in ACTS.items() if _below(path, paths)), Role.ADMINISTRATOR)


def suffices(roles: frozenset[Role], role: Role) -> bool:
    """Whether somebody with these roles may do what needs `role`."""
    return role in roles or Role.ADMINISTRATOR in roles or (role is Role.VIEWER and bool(roles))


def _below(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place.rstrip("/") or path.startswith(place.rstrip("/") + "/") for place in places)
