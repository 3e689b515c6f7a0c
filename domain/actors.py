"""Who took a step, and through what: said by every step, and kept with what it led to."""

from enum import StrEnum

from domain.model import Model, OpaqueId


class Via(StrEnum):
    CONSOLE = "CONSOLE"
    API = "API"
    COMMAND_LINE = "COMMAND_LINE"
    TEMPORAL = "TEMPORAL"
    """A backend that uses the documented messages itself."""


class Actor(Model):
    """`subject` is the opaque id of the person, or of the program that acts for one."""

    subject: OpaqueId
    via: Via
