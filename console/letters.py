"""A ticket's cleaned letter as a download, for the pages and the API."""

from collections.abc import Mapping

from fastapi import Response

from domain.letters import LetterType
from domain.tickets import TicketForm


def letter_file(form: TicketForm, content: bytes, headers: Mapping[str, str] | None = None) -> Response:
    name = f"{form.ticket_no}-r{form.revision}-letter.pdf"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, headers={**(headers or {}), **disposition}, media_type=LetterType.PDF)
