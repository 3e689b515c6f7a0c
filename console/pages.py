"""Pages: templates, the words they share, and the language they are in."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from console.services import Services
from domain.checks import CheckOutcome
from domain.locale import Locale, pick
from i18n.formatting import day_end_or_time, time
from i18n.texts import amount, text, yuan

STATIC: Final = Path(__file__).parent / "static"
LANGUAGE_COOKIE: Final = "language"

_TEMPLATES: Final = Environment(
    loader=PackageLoader("console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


@cache
def static_url(name: str) -> str:
    """The address of a static file, new with every change of it, so that browsers may keep it for ever."""
    return f"/static/{name}?v={sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def language(request: Request) -> Locale:
    """`?lang=` once, then the cookie it leaves, then the browser's own wish; Chinese when it has none."""
    for wish in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if wish in set(Locale):
            return Locale(wish)
    preferred = request.headers.get("Accept-Language", "").lower()
    return Locale.EN if preferred.startswith("en") else Locale.ZH


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    locale: Locale | None = None,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """Render a template. Each has `say("中文", "English")`, `words(code)`, `session`, and the rest below."""
    spoken = locale or language(request)
    services: Services = request.app.state.services
    html = _TEMPLATES.get_template(template).render(
        request=request,
        locale=spoken,
        in_other_language=urlencode({**request.query_params, "lang": pick(spoken, Locale.EN, Locale.ZH)}),
        say=partial(pick, spoken),
        words=lambda code: text(code, spoken),
        amount=amount,
        yuan=yuan,
        time=time,
        day_end_or_time=day_end_or_time,
        static_url=static_url,
        session=getattr(request.state, "session", None),
        development=services.settings.development_sign_in,
        now=services.now(),
        new_key=lambda: token_urlsafe(16),
        **context,
    )
    response = HTMLResponse(html, status, {"Cache-Control": "no-store", **(headers or {})})
    if request.query_params.get("lang") in set(Locale):
        keep_language(response, spoken)
    return response


def not_listed(outcome: CheckOutcome) -> int:
    """How many there are beyond the items that an outcome names."""
    return sum(outcome.figures.values()) - sum(item.count for item in outcome.items) if outcome.listed else 0


def keep_language(response: Response, locale: Locale) -> None:
    response.set_cookie(LANGUAGE_COOKIE, locale, max_age=365 * 86400, samesite="lax", secure=True, httponly=True)


def iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


_TEMPLATES.filters["iso"] = iso
