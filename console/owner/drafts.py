"""The letter that an owner has sent and not yet handed in: whose it is, and how its pages are seen."""

from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from console.auth.authorization import OwnAccount, Visitor
from console.auth.sessions import Session
from console.letters import picture
from console.services import WithServices
from domain.errors import ErrorType, Refusal
from domain.model import OpaqueId

router = APIRouter()


async def _holder(request: Request, visitor: Visitor) -> str:
    session: Session = request.state.session
    return sha256(f"{visitor.subject} {session.forgery_token}".encode()).hexdigest()


Holder = Annotated[str, Depends(_holder)]
"""Stands for one owner in one session: a draft is theirs alone, also among those who share an account."""


@router.get("/letter-drafts/{draft}/pages/{number}.png")
async def owner_letter_draft_page(
    request: Request, services: WithServices, account: OwnAccount, holder: Holder, draft: OpaqueId, number: int
) -> Response:
    drafts = services.tickets.drafts
    found = await drafts.find(account, holder, draft, services.now())
    if found is None:
        raise Refusal(ErrorType.NOT_FOUND, "There is no such letter, or no longer; choose the file again.")
    return await picture(request, drafts.page(found, number))
