"""Who may do what: rules without a server."""

import pytest
from asty_cloud_api.main import create_app
from asty_cloud_api.settings import Settings, read
from asty_cloud_api.staff import accounts, secret
from asty_cloud_api.staff.roles import PUBLIC, STREETS, TERMS, Role, needed, suffices
from asty_cloud_api.staff.routes import safe
from asty_process.environment import SettingsError
from starlette.routing import Route

GOOD = {"ASTY_ORG": "demo", "ASTY_DATABASE_DSN": "postgresql://a@b/c"}
OPEN = PUBLIC | STREETS


def addresses() -> set[tuple[str, str]]:
    """Every method and address of the application."""
    app = create_app(Settings(org="demo", dsn="postgresql://nobody@127.0.0.1:1/none"))
    paths = app.openapi()["paths"]
    found = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    return found | {(method, route.path) for route in app.routes if isinstance(route, Route) for method in route.methods or ()}


def test_without_a_sign_in_only_what_is_named_here_can_be_asked_for() -> None:
    without = {(method, path) for method, path in addresses() if needed(method, path) is None and method not in ("HEAD", "OPTIONS")}
    own_door = {path for _, path in without if path.startswith(("/api/cab/", "/sign-in", "/cab", "/static/"))}
    assert {path for _, path in without} - own_door <= OPEN
    assert {path for method, path in without if method != "GET"} - own_door <= {"/api/enrolment"}
    assert len(addresses()) > 20


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("GET", "/board", Role.VIEWER),
        ("GET", "/api/lifts", Role.VIEWER),
        ("GET", "/live/events", Role.VIEWER),
        ("GET", "/boarding", Role.VIEWER),
        ("GET", "/api/cab/photos/x", Role.VIEWER),
        ("PUT", "/api/cab/photos/x", None),
        ("POST", "/board/plan/again", Role.DISPATCHER),
        ("POST", "/tickets/look", Role.DISPATCHER),
        ("DELETE", "/api/closures/x", Role.DISPATCHER),
        ("POST", "/api/plans/x/approve", Role.DISPATCHER),
        ("POST", "/alarms/1/acknowledge", Role.SAFETY_OFFICER),
        ("POST", "/enrolment/x/approve", Role.ADMINISTRATOR),
        ("POST", "/something/new", Role.ADMINISTRATOR),
        ("POST", "/cabinet", Role.ADMINISTRATOR),
        ("POST", "/when", None),
        ("POST", "/sign-out", Role.VIEWER),
        ("GET", "/cab", None),
        ("GET", "/cabinet", Role.VIEWER),
        ("GET", "/sign-inside", Role.VIEWER),
    ],
)
def test_each_address_needs_its_role(method: str, path: str, role: Role | None) -> None:
    assert needed(method, path) is role


def test_everybody_with_a_role_reads_and_an_administrator_does_everything() -> None:
    assert all(suffices(frozenset({role}), Role.VIEWER) for role in Role)
    assert all(suffices(frozenset({Role.ADMINISTRATOR}), role) for role in Role)
    assert not suffices(frozenset({Role.DISPATCHER}), Role.ADMINISTRATOR)
    assert not suffices(frozenset({Role.SAFETY_OFFICER}), Role.DISPATCHER)
    assert not suffices(frozenset(), Role.VIEWER)
    assert TERMS.keys() == set(Role)


@pytest.mark.parametrize(
    "going", ["//elsewhere.gr", "/\\elsewhere.gr", "https://elsewhere.gr", "", "board", "/a\r\nSet-Cookie: x", "/sign-out"]
)
def test_the_sign_in_leads_to_no_other_server(going: str) -> None:
    assert safe(going) == "/"
    assert safe("/board?day=2026-11-24") == "/board?day=2026-11-24"


@pytest.mark.parametrize("passphrase", ["short", "a" * 201, "aaaaaaaaaaaaaa", "anna-anna-anna", "1111222211112222"])
def test_a_passphrase_that_anybody_would_try_is_refused(passphrase: str) -> None:
    with pytest.raises(accounts.AccountError):
        accounts.check(passphrase, "anna", secret.LEAST)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ASTY_CLOUD_API_ADDRESS": "stolos.gr"}, "ASTY_CLOUD_API_ADDRESS"),
        ({"ASTY_CLOUD_API_ADDRESS": "https://stolos.gr/asty"}, "without a path"),
        ({"ASTY_CLOUD_API_OIDC_ISSUER": "https://id.gr"}, "ASTY_CLOUD_API_OIDC_CLIENT"),
        (
            {
                "ASTY_CLOUD_API_OIDC_ISSUER": "http://id.gr", "ASTY_CLOUD_API_OIDC_CLIENT": "asty", "ASTY_CLOUD_API_OIDC_SECRET": "s",
                "ASTY_CLOUD_API_ADDRESS": "https://stolos.gr",
            },
            "expected https",
        ),
    ],
)  # fmt: skip
def test_a_wrong_setting_of_the_sign_in_is_named(change: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        read(GOOD | change)
