"""What an owner would read of a decision, as whoever sends it words it. Nobody needs it to decide."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from console.errors import EXPECTED
from console.services import Services
from console.staff.ticket_detail import TicketDetail
from domain.locale import Locale
from domain.tickets import DecisionKind, DecisionReason
from gateways.contract import MessageText

log = structlog.get_logger()

PATIENCE_SECONDS: Final = 2.0
"""A page that is of use without a preview does not wait for it as long as for what it needs."""


@dataclass(frozen=True)
class OwnerMessage:
    """In the owner's language, or in Chinese while that is not known. `message` is None while there is no preview."""

    locale: Locale
    is_language_known: bool
    message: MessageText | None
    lacks_reasons: bool


async def owner_message(
    services: Services, case: TicketDetail, kind: DecisionKind, reasons: Sequence[DecisionReason] = ()
) -> OwnerMessage:
    """Of each kind of decision; an approval has no reasons to give."""
    locale = case.owner_locale or Locale.ZH
    message = None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            texts = await services.cancellations.preview_decision_message(case.review, kind, reasons)
        message = texts[locale]
    except (TimeoutError, *EXPECTED) as error:
        log.warning("No preview of the owner's message", error_type=getattr(error, "type", type(error).__name__))
    return OwnerMessage(
        locale=locale,
        is_language_known=case.owner_locale is not None,
        message=message,
        lacks_reasons=kind is not DecisionKind.APPROVE and not reasons,
    )
