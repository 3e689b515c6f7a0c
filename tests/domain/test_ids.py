"""Workflow ids and numbers: fixed formats that say nothing about a person."""

import re
from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter

from domain.ids import cancellation_workflow_id, deletion_workflow_id, new_number, review_workflow_id
from domain.model import OpaqueId

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def test_workflow_ids_are_made_of_the_account_or_the_ticket_number_alone() -> None:
    assert cancellation_workflow_id("acc-1001") == "account-cancellation-acc-1001"
    assert review_workflow_id("T20261122-7KQ2M9XT") == "ticket-review-T20261122-7KQ2M9XT"
    assert deletion_workflow_id("acc-1001") == "account-deletion-acc-1001"


@pytest.mark.parametrize("prefix", ["C", "T", "D"])
def test_a_number_is_a_prefix_a_date_and_eight_characters_that_nobody_confuses(prefix: str) -> None:
    for number in [new_number(prefix, NOW) for _ in range(200)]:
        assert re.fullmatch(prefix + "20261122-[A-HJ-NP-Z2-9]{8}", number)
        assert TypeAdapter(OpaqueId).validate_python(number) == number


def test_every_character_of_the_alphabet_is_drawn() -> None:
    drawn = "".join(new_number("C", NOW).partition("-")[2] for _ in range(2000))
    assert len(set(drawn)) == 32


def test_two_numbers_of_the_same_instant_differ() -> None:
    assert len({new_number("C", NOW) for _ in range(2000)}) == 2000


@pytest.mark.parametrize(
    ("now", "date"),
    [
        (datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC), "20261122"),
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), "20261123"),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), "20270101"),
    ],
)
def test_the_date_in_a_number_is_shanghais(now: datetime, date: str) -> None:
    assert new_number("C", now).startswith(f"C{date}-")
