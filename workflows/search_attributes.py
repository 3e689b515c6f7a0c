"""The typed search attributes: one registry for the workflows, the worker, docker-compose.yml, the tests and the docs.

SQL visibility allows 10 Keyword and 3 of each other type per namespace. Values are never encrypted: none is personal.
"""

from temporalio.common import SearchAttributeKey

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
