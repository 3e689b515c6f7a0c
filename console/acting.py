"""Who takes a step, and what its caller calls it."""

from dataclasses import dataclass
from typing import Self

from console.auth.roles import Principal
from domain.actors import Actor, Via


@dataclass(frozen=True)
class Acting:
    """`key` makes the same step again the same step; it is None when the call stands alone."""

    by: Actor
    key: str | None

    @classmethod
    def of(cls, visitor: Principal, via: Via, key: str | None, *, on_behalf_of: str | None = None) -> Self:
        # A key is its caller's own: two may use the same.
        return cls(
            by=Actor(subject=on_behalf_of or visitor.subject, via=via),
            key=f"{visitor.subject} {key}" if key else None,
        )
