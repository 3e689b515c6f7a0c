"""The letter to fill in, print, stamp and send."""

from pathlib import Path

from domain.locale import Locale


def template_letter(locale: Locale) -> str:
    """As Markdown."""
    return Path(__file__).with_name(f"consent_letter.{locale[:2]}.md").read_text(encoding="utf-8")
