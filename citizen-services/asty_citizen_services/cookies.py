"""The cookies of this server. Behind TLS their names begin with `__Host-`, so that no neighbour's host can set them."""

from dataclasses import dataclass

from starlette.responses import Response


@dataclass(frozen=True, slots=True)
class Cookies:
    """Names and attributes; none can be read by a script."""

    is_tls: bool

    @property
    def session(self) -> str:
        return self._named("asty-session")

    @property
    def ceremony(self) -> str:
        """Binds a sign-in that is under way to the browser that began it."""
        return self._named("asty-ceremony")

    @property
    def handoff(self) -> str:
        """Binds a form that the call centre began to the phone that goes on with it."""
        return self._named("asty-handoff")

    @property
    def csrf(self) -> str:
        return self._named("asty-csrf")

    @property
    def kiosk(self) -> str:
        """Says that this screen is a registered kiosk, and nothing of who stands before it."""
        return self._named("asty-kiosk")

    def set(self, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        """Set a cookie; without `seconds` it ends with the browser."""
        response.set_cookie(name, value, max_age=seconds, path="/", secure=self.is_tls, httponly=True, samesite="lax")

    def clear(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self.is_tls, httponly=True, samesite="lax")

    def _named(self, name: str) -> str:
        return f"__Host-{name}" if self.is_tls else name
