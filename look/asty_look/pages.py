"""Templates to pages: one Jinja environment per language over the shared templates and those of the server."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import HTMLResponse

from asty_look import preferences, terms
from asty_look.assets import asset
from asty_look.formats import Formats
from asty_look.preferences import Language, Preferences

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGES: tuple[Language, ...] = ("el", "en")


class Pages:
    """Renders a server's templates in the reader's language and colours."""

    def __init__(self, templates: Path, locale: Path, *, zone: ZoneInfo, org: str) -> None:
        self.zone, self.org = zone, org
        self._environments = {lang: self._environment(lang, templates, locale) for lang in LANGUAGES}
        self._terms = {lang: terms.load(lang, locale, terms.OWN) for lang in LANGUAGES}

    def formats(self, request: Request) -> Formats:
        return Formats(preferences.read(request).lang, self.zone)

    def gettext(self, request: Request, text: str) -> str:
        """Say one term in the reader's language."""
        return self._terms[preferences.read(request).lang].gettext(text)

    def greek(self, text: str) -> str:
        """Say one term in Greek, whoever asks: for what goes out to people of the town."""
        return self._terms["el"].gettext(text)

    def render(self, request: Request, name: str, context: Mapping[str, Any] | None = None, *, status: int = 200) -> HTMLResponse:
        """Render a template; the reader's new choices are kept in cookies."""
        chosen = preferences.read(request)
        template = self._environments[chosen.lang].get_template(name)
        html = template.render(_common(request, chosen) | {"f": self.formats(request), "org": self.org} | dict(context or {}))
        response = HTMLResponse(html, status, headers={"Cache-Control": "no-store", "Content-Language": chosen.lang})
        preferences.keep(request, response, chosen)
        return response

    def _environment(self, lang: Language, templates: Path, locale: Path) -> Environment:
        environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(templates), FileSystemLoader(TEMPLATES)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        translations = terms.load(lang, locale, terms.OWN)
        environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
        environment.globals["asset"] = asset
        return environment


def _common(request: Request, chosen: Preferences) -> dict[str, Any]:
    return {"request": request, "lang": chosen.lang, "theme": chosen.theme, "with_query": lambda **new: _with_query(request.url, **new)}


def _with_query(url: URL, **new: str | int | None) -> str:
    """Return the address of this page with some query parameters replaced; None removes one."""
    gone = [name for name, value in new.items() if value is None]
    changed = url.remove_query_params(gone).include_query_params(**{name: value for name, value in new.items() if value is not None})
    return changed.path + (f"?{changed.query}" if changed.query else "")
