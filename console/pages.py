"""Pages: templates, the words they share, and the language they are in."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import cache, partial
from hashlib import sha256
from operator import itemgetter
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from console.services import Services
from domain.checks import CheckOutcome
from i18n.catalogue import catalogues, negotiate, own_name
from i18n.formatting import amount, capitalized, day_end_or_time, listed, month_name, time, weekdays, yuan
from i18n.texts import text, titles

STATIC: Final = Path(__file__).parent / "static"
LANGUAGE_COOKIE: Final = "language"


@cache
def _templates(language: str) -> Environment:
    """Every template in one language: `_`, `ngettext`, `pgettext` and `{% trans %}` translate, the rest formats."""
    templates = Environment(
        loader=PackageLoader("console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    templates.install_gettext_translations(catalogues()[language], newstyle=True)  # type: ignore[attr-defined]
    templates.filters.update(iso=iso, capitalized=capitalized)
    templates.globals.update(
        locale=language,
        words=partial(text, locale=language),
        titles=partial(titles, locale=language),
        listed=partial(listed, language=language),
        amount=partial(amount, language=language),
        yuan=partial(yuan, language=language),
        time=partial(time, language=language),
        day_end_or_time=partial(day_end_or_time, language=language),
        month_name=partial(month_name, language=language),
        weekdays=weekdays(language),
        own_name=own_name,
        static_url=static_url,
        new_key=partial(token_urlsafe, 16),
    )
    return templates


@cache
def static_url(name: str) -> str:
    """The address of a static file, new with every change of it, so that browsers may keep it for ever."""
    return f"/static/{name}?v={sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def language(request: Request) -> str:
    """`?lang=` once, then the cookie it leaves, then the browser's own wishes, then the setting."""
    asked = (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE))
    if chosen := next((tag for tag in asked if tag in catalogues()), None):
        return chosen
    services: Services = request.app.state.services
    return negotiate(*_accepted(request.headers.get("Accept-Language", ""))) or services.settings.language


def _accepted(header: str) -> list[str]:
    """The tags of an `Accept-Language` header, best first (RFC 9110, 12.5.4)."""
    weighed = []
    for part in header.replace(" ", "").split(","):
        tag, _, weight = part.partition(";q=")
        with suppress(ValueError):
            weighed.append((float(weight or 1), tag))
    return [tag for weight, tag in sorted(weighed, key=itemgetter(0), reverse=True) if tag and weight > 0]


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    locale: str | None = None,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """Render a template in the reader's language. What all of them have stands here and in `_templates`."""
    spoken = locale or language(request)
    services: Services = request.app.state.services
    html = (
        _templates(spoken)
        .get_template(template)
        .render(
            request=request,
            other_languages=[
                {"tag": tag, "name": own_name(tag), "query": urlencode({**request.query_params, "lang": tag})}
                for tag in catalogues()
                if tag != spoken
            ],
            session=getattr(request.state, "session", None),
            development=services.settings.development_sign_in,
            now=services.now(),
            **context,
        )
    )
    response = HTMLResponse(html, status, {"Cache-Control": "no-store", **(headers or {})})
    if request.query_params.get("lang") == spoken:
        keep_language(response, spoken)
    return response


def not_listed(outcome: CheckOutcome) -> int:
    """How many there are beyond the items that an outcome names."""
    return sum(outcome.figures.values()) - sum(item.count for item in outcome.items) if outcome.listed else 0


def keep_language(response: Response, locale: str) -> None:
    response.set_cookie(LANGUAGE_COOKIE, locale, max_age=365 * 86400, samesite="lax", secure=True, httponly=True)


def iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
