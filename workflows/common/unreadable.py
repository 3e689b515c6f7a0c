"""A start that cannot be read: said at once, by field."""

from typing import Any

from pydantic import BaseModel, ValidationError
from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.errors import ErrorType


def unreadable(model: type[BaseModel], given: Any) -> ApplicationError:
    """Why a start cannot be read, by field; never with the values."""
    try:
        model.model_validate(given)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the input'}: {one['msg']}" for one in error.errors())
    else:
        wrong = "the input is of another kind"
    return ApplicationError(
        f"This start cannot be read as a {model.__name__}: {wrong}. Nothing was begun; start again with a valid one.",
        type=ErrorType.BAD_INPUT,
        non_retryable=True,
    )
