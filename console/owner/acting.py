"""Who takes a step of the owner's pages, and by which form: sent again it is the same step, and no other."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form

from console.acting import Acting
from console.auth.authorization import Visitor
from domain.actors import Via
from domain.messages import CancellationView


@dataclass(frozen=True)
class ByForm(Acting):
    """`request_no` is the request that the form's page was about; None where there was none."""

    request_no: str | None

    def is_about(self, view: CancellationView | None) -> bool:
        """Not so for the form of an earlier request: what was meant for that one must not happen to the next."""
        return self.request_no is None or (view is not None and view.request_no == self.request_no)


async def _by_form(
    visitor: Visitor,
    key: Annotated[str | None, Form(pattern="^[!-~]{1,64}$")] = None,
    request_no: Annotated[str | None, Form(max_length=64)] = None,
) -> ByForm:
    acting = Acting.of(visitor, Via.CONSOLE, key)
    return ByForm(acting.by, acting.key, request_no)


OwnerActing = Annotated[ByForm, Depends(_by_form)]
"""On every route that takes an owner's step. Both fields come with `parts.once()`; an older version's page has none."""
