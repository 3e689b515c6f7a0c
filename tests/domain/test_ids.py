"""Workflow ids and numbers: fixed formats that say nothing about a person."""

import re
import string
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from domain.deletion import DeletionPhase
from domain.ids import (
    cancellation_workflow_id,
    composed_id,
    deletion_task_queue,
    deletion_workflow_id,
    hold_id,
    message_key,
    message_workflow_id,
    new_number,
    review_workflow_id,
)
from domain.model import OpaqueId
from domain.notifications import Template
from domain.phases import Step

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
OPAQUE = TypeAdapter[str](OpaqueId)

_FIRST = string.ascii_letters + string.digits
opaque_ids = st.builds(str.__add__, st.sampled_from(_FIRST), st.text(f"{_FIRST}._-", max_size=63))
# Few characters, so that dots and dashes meet at the seams all the time.
seamy_ids = st.builds(str.__add__, st.sampled_from("a1"), st.text("a.-1", max_size=6))
some_parts = st.lists(opaque_ids | seamy_ids, min_size=1, max_size=4)
numbers = st.integers(0, 10**6)


def test_workflow_ids_are_made_of_the_account_or_the_ticket_number_alone() -> None:
    assert cancellation_workflow_id("acc-1001") == "account-cancellation-acc-1001"
    assert review_workflow_id("T20261122-7KQ2M9XT") == "ticket-review-T20261122-7KQ2M9XT"
    assert deletion_workflow_id("acc-1001") == "account-deletion-acc-1001"
    assert message_workflow_id("acc-1001.C-1.TICKET_FILED.3") == "account-message-acc-1001.C-1.TICKET_FILED.3"
    assert deletion_task_queue("cancellation") == "cancellation-deletion"


# --- composed ids ---


def test_what_fits_stays_readable() -> None:
    assert composed_id("open", "C20261122-7KQ2M9XT") == "open.C20261122-7KQ2M9XT"
    assert hold_id("C20261122-7KQ2M9XT", 2) == "C20261122-7KQ2M9XT.hold.2"
    assert message_key("acc-1001", "C-1", Template.TICKET_FILED, 3) == "acc-1001.C-1.TICKET_FILED.3"


def test_parts_of_every_length_make_an_opaque_id() -> None:
    lengths = range(1, 65)
    for length in lengths:
        part = "x" * length
        for composed in (
            composed_id(part),
            composed_id("open", part),
            hold_id(part, 10**6),
            *(composed_id(step, part) for step in Step),
            *(message_key(part, part, template, 10**6) for template in Template),
        ):
            assert OPAQUE.validate_python(composed) == composed
    pairs = {composed_id("x" * one, "x" * other) for one, other in product(lengths, lengths)}
    assert len(pairs) == 64 * 64
    assert all(OPAQUE.validate_python(pair) == pair for pair in pairs)


@given(some_parts)
def test_a_composed_id_is_opaque_and_the_same_every_time(parts: list[str]) -> None:
    composed = composed_id(*parts)
    assert OPAQUE.validate_python(composed) == composed
    assert composed_id(*parts) == composed


@given(some_parts, some_parts)
def test_different_parts_make_different_ids(parts: list[str], others: list[str]) -> None:
    assert (composed_id(*parts) == composed_id(*others)) == (parts == others)


@given(st.lists(seamy_ids, min_size=1, max_size=3), st.lists(seamy_ids, min_size=1, max_size=3))
def test_it_matters_where_one_part_ends_and_the_next_begins(parts: list[str], others: list[str]) -> None:
    assert (composed_id(*parts) == composed_id(*others)) == (parts == others)


@given(st.text("ab.-", min_size=2, max_size=80), st.data())
def test_the_same_text_cut_elsewhere_makes_another_id(text: str, data: st.DataObject) -> None:
    one, other = (data.draw(st.integers(1, len(text) - 1)) for _ in range(2))
    assume(one != other)
    assert composed_id(text[:one], text[one:]) != composed_id(text[:other], text[other:])


@given(some_parts)
def test_nobody_can_spell_the_hash_of_other_parts(parts: list[str]) -> None:
    """Whoever chooses the parts may know an id already and hand in its pieces."""
    composed = composed_id(*parts)
    for separator in (".", ".."):
        pieces = composed.split(separator)
        if pieces != parts and all(pieces):
            assert composed_id(*pieces) != composed


@given(opaque_ids, opaque_ids, numbers, numbers)
def test_two_holds_never_have_one_id(request_no: str, other_no: str, number: int, other: int) -> None:
    same = (request_no, number) == (other_no, other)
    assert (hold_id(request_no, number) == hold_id(other_no, other)) == same


@given(opaque_ids, opaque_ids, opaque_ids, st.sampled_from(Template), numbers)
def test_two_accounts_with_one_request_number_never_share_a_message(
    account_id: str, other_account: str, about: str, template: Template, number: int
) -> None:
    key = message_key(account_id, about, template, number)
    assert OPAQUE.validate_python(key) == key
    assert (key == message_key(other_account, about, template, number)) == (account_id == other_account)
    assert key != message_key(account_id, about, template, number + 1)


@given(opaque_ids)
def test_the_key_of_a_phase_fits_into_the_platforms_header(account_id: str) -> None:
    for phase in DeletionPhase:
        assert re.fullmatch(r"[\x21-\x7e]{1,255}", f"{deletion_workflow_id(account_id)}:{phase}:ticket")


# --- numbers ---


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
