"""The base of every model that crosses a boundary."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any
from unicodedata import category, normalize

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field


class Model(BaseModel):
    """Frozen and closed: an unknown field is a mistake of the caller's, not something to carry along.

    `hide_input_in_errors` keeps rejected values, which may be personal data, out of logs and error texts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def content_sha256(self) -> str:
        """The SHA-256 of this model's canonical JSON, in hex."""
        return sha256(self.model_dump_json().encode()).hexdigest()


def _to_utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""A moment in time. Naive values are refused; every other zone is turned into UTC."""

Fen = Annotated[int, Field(ge=0)]
"""An amount of money in fen (1 yuan = 100 fen). Never a float."""

Count = Annotated[int, Field(ge=0)]


def as_meant(typed: Any) -> Any:
    """What somebody typed or pasted, as it was meant: full-width signs as plain ones, and no invisible ones.

    For ids, codes and numbers, which have none of them. A name or a note is not touched.
    """
    if not isinstance(typed, str):
        return typed
    # "Cf" are zero-width blanks, joiners, byte order marks and marks of direction.
    return "".join(sign for sign in normalize("NFKC", typed) if category(sign) != "Cf").strip()


OpaqueId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""An id that names a thing and says nothing about a person: no `@`, no `+`, no blank."""

TypedId = Annotated[OpaqueId, BeforeValidator(as_meant)]
"""An id at the edge, where people type and paste."""

Sha256Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

TypedSha256 = Annotated[Sha256Hex, BeforeValidator(as_meant)]
"""A hash at the edge, where people paste it."""


class VaultRef(Model):
    """A record in the vault: where it is and what it must hash to."""

    path: str
    sha256: Sha256Hex
