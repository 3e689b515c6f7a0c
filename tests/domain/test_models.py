"""Every model of the domain at its boundary: closed, frozen, in UTC, and silent about what it refuses."""

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

import domain
from domain.checks import Arrears, Balance, Entitlement
from domain.deletion import DeletionInput, Receipt
from domain.messages import CancellationInput, CancellationView, Recheck, ReviewInput, UnreadableInput
from domain.model import Instant, Model, OpaqueId, Sha256Hex, VaultRef
from domain.notifications import MessageInput
from domain.policy import Policy
from domain.tickets import TicketForm, TicketRef

# On a busy machine a test is slow, not wrong.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

PHONE = "+8613800138000"
EMAIL = "zhang.san@example.com"
PLANTS: list[Callable[[str], object]] = [
    lambda secret: secret,
    lambda secret: [secret],
    lambda secret: [[secret]],
    lambda secret: {"phone": secret},
    lambda secret: {"account_id": {"phone": secret}},
]


def subclasses(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        yield model
        yield from subclasses(model)


for module in pkgutil.walk_packages(domain.__path__, "domain."):
    importlib.import_module(module.name)
PYDANTIC_MODELS = sorted(
    {
        model
        for model in subclasses(BaseModel)
        # `UnreadableInput` is made of whatever no other model takes.
        if model.__module__.startswith("domain.") and model not in (Model, UnreadableInput)
    },
    key=lambda model: f"{model.__module__}.{model.__qualname__}",
)
OPEN_TO_NEWER_VERSIONS = {CancellationInput, DeletionInput, MessageInput, Policy, ReviewInput}
"""What travels from a newer version to an older worker, which passes over what it does not know."""

every_model = pytest.mark.parametrize("model", PYDANTIC_MODELS, ids=lambda model: model.__name__)


def takes(field: FieldInfo, value: object) -> bool:
    try:
        TypeAdapter[Any](field.rebuild_annotation()).validate_python(value)
    except ValidationError:
        return False
    return True


AWARE = datetime(2026, 11, 22, 18, 0, tzinfo=timezone(timedelta(hours=8)))
MOMENTS = [
    pytest.param(field.rebuild_annotation(), id=f"{model.__name__}.{name}")
    for model in PYDANTIC_MODELS
    for name, field in model.model_fields.items()
    if takes(field, AWARE)
]


# --- every model ---


def test_the_models_of_all_modules_are_found() -> None:
    found = {model.__module__ for model in PYDANTIC_MODELS}
    assert {"domain.messages", "domain.tickets", "domain.deletion", "domain.checks", "domain.notices"} <= found
    assert {CancellationView, TicketForm, DeletionInput, Recheck, VaultRef} <= set(PYDANTIC_MODELS)


@every_model
def test_a_model_is_frozen_closed_and_hides_its_input(model: type[BaseModel]) -> None:
    assert issubclass(model, Model)
    config = model.model_config
    extra = "ignore" if model in OPEN_TO_NEWER_VERSIONS else "forbid"
    assert (config["frozen"], config["extra"], config["hide_input_in_errors"]) == (True, extra, True)


@every_model
def test_a_model_cannot_be_changed(model: type[BaseModel]) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(model.model_construct(), next(iter(model.model_fields), "anything"), None)


@pytest.mark.parametrize("model", [model for model in PYDANTIC_MODELS if model not in OPEN_TO_NEWER_VERSIONS])
def test_an_unknown_field_is_refused_by_name(model: type[BaseModel]) -> None:
    with pytest.raises(ValidationError, match="unheard_of\n  Extra inputs are not permitted"):
        model.model_validate({"unheard_of": 1})


@every_model
def test_what_a_model_refuses_never_appears_in_its_error(model: type[BaseModel]) -> None:
    for secret, plant in product([PHONE, EMAIL, "张三"], PLANTS):
        planted = plant(secret)
        fields = dict.fromkeys([*model.model_fields, "unheard_of"], planted)
        # A policy without a field of its own is the default one.
        for refused in [fields] if model is Policy else [fields, planted]:
            with pytest.raises(ValidationError) as in_python:
                model.model_validate(refused)
            with pytest.raises(ValidationError) as in_json:
                model.model_validate_json(json.dumps(refused))
            for error in (in_python.value, in_json.value):
                assert secret not in f"{error} {error!r}"


@every_model
def test_text_that_is_no_json_does_not_appear_in_the_error(model: type[BaseModel]) -> None:
    for garbage in (PHONE, f'{{"phone": {PHONE}', f'"{PHONE}', f"\x00{PHONE}"):
        with pytest.raises(ValidationError) as refused:
            model.model_validate_json(garbage)
        assert PHONE not in f"{refused.value} {refused.value!r}"


# --- moments ---


def test_the_moments_of_all_models_are_found() -> None:
    found = {parameter.id for parameter in MOMENTS}
    assert {"Decision.decided_at", "ReviewClock.due_at", "CancellationView.lapses_at", "Receipt.completed_at"} <= found


@pytest.mark.parametrize("moment", MOMENTS)
def test_every_moment_is_in_utc_whatever_zone_it_came_in_and_never_naive(moment: Any) -> None:
    adapter = TypeAdapter[datetime](moment)
    for value in (adapter.validate_python(AWARE), adapter.validate_json(f'"{AWARE.isoformat()}"')):
        assert value == AWARE
        assert value.isoformat() == "2026-11-22T10:00:00+00:00"
    for naive in (AWARE.replace(tzinfo=None), "2026-11-22T10:00:00", "2026-11-22"):
        with pytest.raises(ValidationError, match="should have timezone info"):
            adapter.validate_python(naive)


zones = st.timedeltas(timedelta(hours=-12), timedelta(hours=14)).map(timezone)


@unhurried
@given(st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=zones))  # noqa: DTZ001
def test_an_instant_is_the_same_moment_in_utc(aware: datetime) -> None:
    instant = TypeAdapter[datetime](Instant).validate_python(aware)
    assert instant == aware
    assert instant.utcoffset() == timedelta(0)
    assert TypeAdapter[datetime](Instant).validate_json(f'"{instant.isoformat()}"') == instant


# --- ids, hashes, money ---


@pytest.mark.parametrize("text", ["acc-1001", "C20261122-7KQ2M9XT", "a", "0", "A.b_c-d", "x" * 64])
def test_an_opaque_id_is_letters_digits_dots_underscores_and_hyphens(text: str) -> None:
    assert TypeAdapter(OpaqueId).validate_python(text) == text


@pytest.mark.parametrize(
    "text",
    [
        PHONE,
        EMAIL,
        "张三",
        "",
        " ",
        "a b",
        " a",
        "a ",
        "a\n",
        "a\x00",
        "a/b",
        "../a",
        "a:b",
        "-a",
        ".a",
        "_a",
        "x" * 65,
        "é",
    ],
)
def test_an_opaque_id_holds_nothing_that_could_name_a_person_or_a_path(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(OpaqueId).validate_python(text)


@unhurried
@given(st.text(max_size=20), st.sampled_from("@+ \t\n\r\x00/\\张"), st.text(max_size=20))
def test_no_text_around_a_forbidden_character_makes_an_opaque_id(before: str, forbidden: str, after: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(OpaqueId).validate_python(f"{before}{forbidden}{after}")


@pytest.mark.parametrize("text", ["", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "a" * 64 + "\n"])
def test_a_hash_is_64_lower_case_hex_digits(text: str) -> None:
    assert TypeAdapter(Sha256Hex).validate_python("0123456789abcdef" * 4)
    with pytest.raises(ValidationError):
        TypeAdapter(Sha256Hex).validate_python(text)


@pytest.mark.parametrize("amount", [-1, 0.5, 1e-9, "1.5", float("nan"), float("inf"), None])
@pytest.mark.parametrize("model", [Balance, Arrears, Entitlement])
def test_money_is_whole_fen_and_never_below_zero(model: type[Model], amount: object) -> None:
    amounts = [field for name, field in model.model_fields.items() if name.endswith("_fen")]
    assert amounts
    for field in amounts:
        assert takes(field, 0)
        assert takes(field, 10**15)
        assert not takes(field, amount)


# --- content ---


def test_equal_content_has_the_same_hash_and_other_content_another() -> None:
    ticket = TicketRef(ticket_no="T-1", revision=1, sha256="a" * 64)
    assert ticket.content_sha256() == TicketRef.model_validate_json(ticket.model_dump_json()).content_sha256()
    assert ticket.content_sha256() != ticket.model_copy(update={"revision": 2}).content_sha256()


def test_a_default_is_never_shared_between_two_models() -> None:
    one, other = (Receipt.model_validate({"phase": "purge-resources", "completed_at": AWARE}) for _ in range(2))
    assert one.counts == other.counts == {}
    assert one.counts is not other.counts
