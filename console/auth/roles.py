"""The roles, and the one table of who may call which route. A route that is not in it does not start."""

from enum import StrEnum
from typing import Final, Self

from pydantic import model_validator

from domain.model import Model, OpaqueId


class Role(StrEnum):
    BACKEND = "backend"
    """The cloud's own programs: start requests and pass on any owner's steps."""
    OWNER = "owner"
    """The owner of one account, sent here by the backend."""
    AGENT = "agent"
    LEAD = "lead"
    """As an agent; the late tickets are theirs to see first."""
    AUDITOR = "auditor"
    """Reads everything, decides nothing."""


class Principal(Model):
    """Who is asking. `subject` is opaque, and is what decisions and requests record; `account_id` is an owner's own."""

    role: Role
    subject: OpaqueId
    account_id: OpaqueId | None = None

    @model_validator(mode="after")
    def _one_account(self) -> Self:
        if (self.role is Role.OWNER) != (self.account_id is not None):
            raise ValueError("an owner, and nobody else, is the owner of an account")
        return self


_Allowed = frozenset[Role]

NOBODY: Final[_Allowed] = frozenset()
BACKEND: Final = frozenset({Role.BACKEND})
OWNER: Final = frozenset({Role.OWNER})
REVIEWERS: Final = frozenset({Role.AGENT, Role.LEAD})
STAFF: Final = REVIEWERS | {Role.AUDITOR}
EVERYBODY: Final = None
"""Also without any role: what is public, and the ways in."""

ACCESS: Final[dict[str, _Allowed | None]] = {
    # Ways in and out
    "home": EVERYBODY,
    "healthz": EVERYBODY,
    "readyz": EVERYBODY,
    "sign_in": EVERYBODY,
    "sign_in_at_provider": EVERYBODY,
    "signed_in_at_provider": EVERYBODY,
    "sign_in_for_development": EVERYBODY,
    "open_login_link": EVERYBODY,
    "use_login_link": EVERYBODY,
    "sign_out": EVERYBODY,
    # REST API: the process
    "api_notices": EVERYBODY,
    "api_notice": EVERYBODY,
    "api_start": BACKEND,
    "api_status": BACKEND | STAFF,
    "api_login_link": BACKEND,
    "api_send_code": BACKEND,
    "api_challenge": BACKEND,
    "api_answer_code": BACKEND,
    "api_accept_notice": BACKEND,
    "api_recheck": BACKEND,
    "api_confirm": BACKEND,
    "api_withdraw": BACKEND,
    "api_file_ticket": BACKEND,
    "api_supply_materials": BACKEND,
    "api_certificate": BACKEND | STAFF,
    "api_certificate_of_account": BACKEND | STAFF,
    # REST API: tickets
    "api_ticket_buckets": STAFF,
    "api_tickets": STAFF,
    "api_ticket": STAFF,
    "api_decide": REVIEWERS,
    "api_letter": STAFF,
    # The owner's pages
    "owner_page": OWNER,
    "owner_live": OWNER,
    "owner_start": OWNER,
    "owner_send_code": OWNER,
    "owner_answer_code": OWNER,
    "owner_accept_notice": OWNER,
    "owner_recheck": OWNER,
    "owner_confirm_page": OWNER,
    "owner_confirm": OWNER,
    "owner_withdraw": OWNER,
    "owner_ticket_page": OWNER,
    "owner_file_ticket": OWNER,
    "owner_supply_materials": OWNER,
    "owner_letter_template": OWNER,
    "owner_letter_draft_page": OWNER,
    "owner_certificate": OWNER,
    # The support console
    "staff_queue": STAFF,
    "staff_queue_live": STAFF,
    "staff_bucket": STAFF,
    "staff_ticket": STAFF,
    "staff_ticket_live": STAFF,
    "staff_decision_preview": REVIEWERS,
    "staff_decide": REVIEWERS,
    "staff_letter": STAFF,
    "staff_letter_page": STAFF,
    "staff_calendar": STAFF,
}


def may(role: Role | None, route: str) -> bool:
    """Raises `KeyError` for a route that the table does not know."""
    allowed = ACCESS[route]
    return allowed is EVERYBODY or role in allowed
