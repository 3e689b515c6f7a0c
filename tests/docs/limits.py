"""The limits of a request as the documents write them."""

from datetime import timedelta

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1)))


def shown(value: object) -> str:
    """A number as it is; a time in the largest unit that is whole: `30 d`, `15 min`, `0.1 s`."""
    if not isinstance(value, timedelta):
        return str(value)
    for unit, size in _UNITS:
        if value and value % size == timedelta(0):
            return f"{value // size} {unit}"
    return f"{value.total_seconds():g} s"


def bounds(field: FieldInfo) -> tuple[object, object]:
    """The least and the greatest value."""
    [least] = [mark.ge for mark in field.metadata if isinstance(mark, Ge)]
    [greatest] = [mark.le for mark in field.metadata if isinstance(mark, Le)]
    return least, greatest
