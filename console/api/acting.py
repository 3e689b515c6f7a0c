"""Who takes a step of the API, and what its caller calls it: two headers that every step has."""

from typing import Annotated, Final

from fastapi import Depends, Header
from pydantic import StringConstraints
from pydantic.json_schema import SkipJsonSchema

from console.acting import Acting
from console.auth.authorization import Visitor
from domain.actors import Via
from domain.model import TypedId

_Key = Annotated[str, StringConstraints(pattern="^[!-~]{1,255}$")] | SkipJsonSchema[None]
_EXAMPLE: Final = "3b7c7a52-6f0e-4a0e-9a54-6a1f6c1c8f7e"

StartKey = Annotated[
    _Key,
    Header(
        alias="Idempotency-Key",
        description="The same key never starts a second request, not even after the first one has ended.",
        examples=[_EXAMPLE],
    ),
]
StepKey = Annotated[
    _Key,
    Header(
        alias="Idempotency-Key",
        description="The same step under the same key is taken once; a repeat gets the first answer again. That may "
        "be a refusal: what is changed has a new key. What was only put off (`NotNow`, `ResendTooSoon`, "
        "`DailyCodeLimit`) is tried anew.",
        examples=[_EXAMPLE],
    ),
]
OnBehalfOf = Annotated[
    TypedId | SkipJsonSchema[None],
    Header(
        alias="On-Behalf-Of",
        description="The opaque id of the person who takes the step. Without it, it is the token's subject. Who proves "
        "identity and who says the last word must be the same.",
        examples=["user-42"],
    ),
]


async def _acting(visitor: Visitor, on_behalf_of: OnBehalfOf = None, idempotency_key: StepKey = None) -> Acting:
    return Acting.of(visitor, Via.API, idempotency_key, on_behalf_of=on_behalf_of)


Step = Annotated[Acting, Depends(_acting)]
"""On every route that takes an owner's step."""
