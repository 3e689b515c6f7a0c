"""The typed search attributes: one registry for the workflows, the worker, docker-compose.yml, the tests and the docs.

SQL visibility allows 10 Keyword and 3 of each other type per namespace. Values are never encrypted: none is personal.
"""

from collections.abc import Iterable
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

CANCELLATION_PHASE = SearchAttributeKey.for_keyword("CancellationPhase")
CANCELLATION_ROUTE = SearchAttributeKey.for_keyword("CancellationRoute")
CANCELLATION_OUTCOME = SearchAttributeKey.for_keyword("CancellationOutcome")
REAL_NAME_TYPE = SearchAttributeKey.for_keyword("RealNameType")
BLOCKING_REASONS = SearchAttributeKey.for_keyword_list("BlockingReasons")
TICKET_DUE_AT = SearchAttributeKey.for_datetime("TicketDueAt")
SLA_BREACHED = SearchAttributeKey.for_bool("SlaBreached")

ALL = (
    CANCELLATION_PHASE,
    CANCELLATION_ROUTE,
    CANCELLATION_OUTCOME,
    REAL_NAME_TYPE,
    BLOCKING_REASONS,
    TICKET_DUE_AT,
    SLA_BREACHED,
)


def upsert_changed(updates: Iterable[SearchAttributeUpdate[Any]]) -> None:
    """Upsert what differs from what the workflow has already: each upsert is an event, and a write in the index."""
    known = workflow.info().typed_search_attributes
    if changed := [update for update in updates if known.get(update.key) != update.value]:
        workflow.upsert_search_attributes(changed)
