"""Tickets as a queue sees them, and somebody who looks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from temporalio.client import (
    Client,
)
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from console.auth.roles import Role
from domain.accounts import RealNameType
from domain.business_calendar import CALENDAR
from domain.checks import Reason
from domain.ids import review_workflow_id
from domain.tickets import ReviewStatus
from service.queue import buckets
from tests.console.conftest import Console
from tests.support.service import Service
from workflows.common.search_attributes import BLOCKING_REASONS, CANCELLATION_PHASE, REAL_NAME_TYPE, TICKET_DUE_AT


@dataclass
class Filed:
    """Reviews without a worker, of which a queue sees the search attributes."""

    client: Client
    numbers: list[str]

    async def __call__(
        self,
        due_at: datetime,
        status: ReviewStatus = ReviewStatus.UNDER_REVIEW,
        real_name_type: RealNameType = RealNameType.INDIVIDUAL,
        reasons: tuple[Reason, ...] = (Reason.ICP_FILING_EVER_APPLIED,),
    ) -> str:
        ticket_no = f"T-page-{uuid4().hex[:12]}"
        self.numbers.append(ticket_no)
        pairs: list[SearchAttributePair[Any]] = [
            SearchAttributePair(CANCELLATION_PHASE, status),
            SearchAttributePair(TICKET_DUE_AT, due_at),
            SearchAttributePair(REAL_NAME_TYPE, real_name_type),
            SearchAttributePair(BLOCKING_REASONS, list(reasons)),
        ]
        await self.client.start_workflow(
            "TicketReview",
            id=review_workflow_id(ticket_no),
            task_queue="nobody",
            search_attributes=TypedSearchAttributes(pairs),
        )
        return ticket_no


@pytest.fixture
async def filed(service: Service) -> AsyncIterator[Filed]:
    filed = Filed(service.client, [])
    yield filed
    for ticket_no in filed.numbers:
        await service.client.get_workflow_handle(review_workflow_id(ticket_no)).terminate("by a test")


@pytest.fixture
async def agent(console: Console) -> AsyncIterator[httpx2.AsyncClient]:
    async with console.signed_in(Role.AGENT) as browser:
        yield browser


def coming_days() -> list[datetime]:
    return [b.due_at for b in buckets(CALENDAR, datetime.now(UTC)) if b.due_at]
