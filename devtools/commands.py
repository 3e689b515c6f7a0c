"""The commands of `starter.py` that only a checkout has."""

from collections.abc import Callable
from typing import Annotated

from cyclopts import Parameter

from cli.answers import Answer, ExitCode, UsageError
from devtools.demo import dev as local_stack
from devtools.demo import play
from devtools.demo.programs import Busy, StartFailed
from domain.locale import Locale
from service.errors import Unreachable


def demo(
    *,
    keep: Annotated[bool, Parameter(negative=())] = False,
    locale: Annotated[Locale, Parameter(parse=False)],
) -> Answer:
    """Play four stories on a real local stack.

    Parameters
    ----------
    keep
        Leave the stack running afterwards, to look around.
    """
    return _played(lambda: play.main(locale, keep))


def dev() -> Answer:
    """Keep a local stack running, and say what to type."""
    return _played(local_stack.main)


def _played(play: Callable[[], int]) -> Answer:
    try:
        code = play()
    except Busy as error:
        raise UsageError(str(error)) from None
    except StartFailed as error:
        raise Unreachable(str(error)) from None
    failed = {"error": {"type": "InternalError", "message": "It did not end as it should; see stderr."}}
    return Answer({"exit_code": code, **(failed if code == ExitCode.FAILED else {})}, lambda _: "", code)
