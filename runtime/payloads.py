"""Payloads are pydantic models as JSON. One that cannot be read is described without a word of what it says.

What somebody sent by hand may be personal. Pydantic's own text names unknown fields, the SDK's an unknown encoding, and
both would be in the SDK's logs, in those of its core, and in the failures that Temporal keeps.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter, pydantic_data_converter

from domain.messages import UNREADABLE, UnreadableInput


class UnreadablePayload(Exception):
    """A payload is not what its reader expects."""


class _Converter(PydanticPayloadConverter):
    _shared = PydanticPayloadConverter().converters

    def __init__(self) -> None:
        # The SDK makes one for every workflow task: none need learn anew how each type is read.
        self.converters = self._shared

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        if len(payloads) > 1 and len(type_hints or []) != len(payloads):
            # No handler of ours takes two arguments. The SDK would hand them on unread, and fail at the handler.
            return [UNREADABLE]
        may_be_unreadable = any(UnreadableInput in get_args(hint) for hint in type_hints or [])
        try:
            values = super().from_payloads(payloads, type_hints)
        except Exception as error:  # noqa: BLE001 - whatever went wrong may quote the payload
            if may_be_unreadable:
                return [UNREADABLE]
            described = _described(error, type_hints or [])
        else:
            # Nulls and bytes are not looked at by pydantic at all.
            return [UNREADABLE] if may_be_unreadable and not isinstance(values[0], BaseModel) else values
        # Out here it has neither cause nor context, which would be quoted with it.
        raise UnreadablePayload(described)


def _described(error: Exception, expected: Sequence[Any]) -> str:
    """Pydantic's kinds of error, such as `missing at ticket`: only our own field names are repeated."""
    if not isinstance(error, ValidationError):
        return type(error).__name__
    models = [hint for hint in expected if isinstance(hint, type) and issubclass(hint, BaseModel)]
    fields = {name for model in models for name in model.model_fields}
    kinds = []
    for found in error.errors(include_input=False, include_context=False):
        at = [str(name) for name in found["loc"][:1] if name in fields]
        kinds.append(" at ".join([found["type"], *at]))
    return f"{error.title}: {'; '.join(kinds)}"


DATA_CONVERTER = replace(pydantic_data_converter, payload_converter_class=_Converter)
"""For every client and worker."""
