"""Who takes the steps of the owner's pages: whoever is signed in."""

from typing import Annotated

from fastapi import Depends

from console.access.guard import Visitor
from domain.actors import Actor, Via


async def _by_owner(visitor: Visitor) -> Actor:
    return Actor(subject=visitor.subject, via=Via.CONSOLE)


ByOwner = Annotated[Actor, Depends(_by_owner)]
