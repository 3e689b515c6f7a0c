"""Reading failures by their stable type."""

from temporalio.exceptions import ActivityError


def error_type(error: ActivityError) -> str:
    """The stable type of what made an activity fail, or the kind of failure (a timeout) where there is none."""
    return str(getattr(error.cause, "type", None) or type(error.cause).__name__)
