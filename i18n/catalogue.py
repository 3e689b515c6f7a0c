"""Messages in every language: English in the source, any other in a gettext catalogue beside this file.

A further language is a folder with a catalogue, and no code: see CONTRIBUTING, "A language".
"""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Final

from babel import Locale as BabelLocale

SOURCE: Final = "en"
"""The language of the source, which needs no catalogue."""

FOLDER: Final = Path(__file__).parent


@cache
def catalogues() -> dict[str, NullTranslations]:
    """Each language's messages, by its tag (BCP 47: "zh-CN").

    Raises `RuntimeError` when a catalogue has not been compiled: silence would be English for everybody.
    """
    found = {SOURCE: NullTranslations()}
    for folder in sorted(FOLDER.glob("*/LC_MESSAGES")):
        compiled = folder / "messages.mo"
        if not compiled.exists():
            raise RuntimeError(f"{compiled} is missing: `make setup` compiles the catalogues.")
        with compiled.open("rb") as file:
            messages = GNUTranslations(file)
        found[messages.info()["language"].replace("_", "-")] = messages
    return found


def negotiate(*wishes: str) -> str | None:
    """The tag of the first wish that there is a language for: itself, or another country's ("zh-TW" gets "zh-CN")."""
    known = {tag.lower(): tag for tag in catalogues()}
    spoken = {tag.partition("-")[0]: known[tag] for tag in reversed(known)}
    for wish in (wish.replace("_", "-").lower() for wish in wishes):
        if tag := known.get(wish) or spoken.get(wish.partition("-")[0]):
            return tag
    return None


def known_language(tag: str) -> str:
    """Raises `ValueError`, with those to choose from, when there is no such language."""
    if tag not in catalogues():
        raise ValueError(f"there is no such language: choose one of {', '.join(catalogues())}")
    return tag


@cache
def own_name(language: str) -> str:
    """What a language calls itself: 中文, English."""
    return BabelLocale.parse(language, sep="-").language_name or language


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it
    """Marks a message that stands in a table, and is translated where it is shown."""
    return message


def translate(language: str, message: str, **values: object) -> str:
    """`message` in `language`, its `%(name)s` filled in; a percent sign is written `%%`."""
    return catalogues()[language].gettext(message) % values


def translate_plural(language: str, singular: str, plural: str, num: int, **values: object) -> str:
    """The form that the language has for `num`, which `%(num)s` names."""
    return catalogues()[language].ngettext(singular, plural, num) % {"num": num, **values}
