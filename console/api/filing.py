"""What a filed ticket and its later materials consist of, as `multipart/form-data`."""

from inspect import signature
from typing import Annotated, Any, Final

from fastapi import Depends, File, Form, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic.json_schema import SkipJsonSchema
from starlette.datastructures import UploadFile as Part

from domain.model import OpaqueId, Sha256Hex
from runtime.letters import MAX_BYTES

_EMAIL: Final = Form(max_length=320, description="Where the reviewer's questions go.", examples=["owner@example.com"])
_PHONE: Final = Form(
    max_length=40, description="A number without country code is Chinese.", examples=["+8613800138000"]
)
FiledBy = Annotated[OpaqueId, Form(description="The opaque id of the person who files.", examples=["user-42"])]
Accepted = Annotated[bool, Form(description="The notice below was read and accepted; needed of all but enterprises.")]
Version = Annotated[str, Form(max_length=40, description="The notice's version.", examples=["2026-11"])]
Digest = Annotated[Sha256Hex, Form(description="The notice's `sha256`.")]
Scan = Annotated[
    UploadFile | SkipJsonSchema[None],
    File(description="The stamped letter of consent, PDF, JPEG or PNG, at most 10 MiB; needed of enterprises."),
]


class _Filed:
    """What both have. A letter is read where it is needed; it may be large."""

    def __init__(self, filed_by: str, accepted: bool, version: str, digest: str, letter: UploadFile | None) -> None:
        self.statement: Final[dict[str, Any]] = {
            "filed_by": filed_by,
            "statement_accepted": accepted,
            "notice_version": version,
            "notice_sha256": digest,
        }
        self._letter = letter

    async def letter(self) -> bytes | None:
        # One byte more than allowed is enough to be refused.
        return await self._letter.read(MAX_BYTES + 1) if self._letter else None


class _Filing(_Filed):
    def __init__(
        self,
        contact_email: Annotated[str, _EMAIL],
        contact_phone: Annotated[str, _PHONE],
        filed_by: FiledBy,
        notice_version: Version,
        notice_sha256: Digest,
        statement_accepted: Accepted = False,
        letter: Scan = None,
    ) -> None:
        super().__init__(filed_by, statement_accepted, notice_version, notice_sha256, letter)
        self.contact_email, self.contact_phone = contact_email, contact_phone


class _Materials(_Filed):
    def __init__(
        self,
        filed_by: FiledBy,
        notice_version: Version,
        notice_sha256: Digest,
        contact_email: Annotated[str | SkipJsonSchema[None], _EMAIL] = None,
        contact_phone: Annotated[str | SkipJsonSchema[None], _PHONE] = None,
        statement_accepted: Accepted = False,
        letter: Scan = None,
    ) -> None:
        super().__init__(filed_by, statement_accepted, notice_version, notice_sha256, letter)
        self.contact_email, self.contact_phone = contact_email, contact_phone


_FIELDS: Final = frozenset(signature(_Filing).parameters)


async def only_known_fields(request: Request) -> None:
    """Forms are read by field, so that the framework passes over what it does not look for."""
    parts = (await request.form()).multi_items()
    unknown = sorted({name for name, _ in parts} - _FIELDS)
    twice = sorted(name for name in _FIELDS if sum(part == name for part, _ in parts) > 1)
    wrong = [(name, "Unknown field") for name in unknown] + [(name, "Given more than once") for name in twice]
    wrong += [(name, "A file, and no text") for name, part in parts if name != "letter" and isinstance(part, Part)]
    if wrong:
        raise RequestValidationError([{"loc": ("body", name[:40]), "msg": why, "type": "form"} for name, why in wrong])


Filing = Annotated[_Filing, Depends()]
Materials = Annotated[_Materials, Depends()]
