"""What a filed ticket and its later materials consist of, as `multipart/form-data`."""

from collections.abc import Awaitable, Callable
from functools import partial
from inspect import signature
from typing import Annotated, Final

from fastapi import Depends, File, Form, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic.json_schema import SkipJsonSchema
from starlette.datastructures import UploadFile as Part

from domain.model import Fen, Sha256Hex
from domain.tickets import BalanceChoice, BalanceWish
from service.letters.letter_service import Upload
from service.letters.problems import MAX_BYTES
from service.tickets import Paper

_EMAIL: Final = Form(max_length=320, description="Where the reviewer's questions go.", examples=["owner@example.com"])
_PHONE: Final = Form(
    max_length=40, description="A number without country code is Chinese.", examples=["+8613800138000"]
)
ReportDigest = Annotated[
    Sha256Hex, Form(description="`report.digest` of the report that whoever files was shown: the latest one.")
]
Accepted = Annotated[
    bool, Form(description="The notice below was read and accepted; where `ticket_needs.statement` says so.")
]
Version = Annotated[str, Form(max_length=40, description="The notice's version.", examples=["2026-11"])]
Digest = Annotated[Sha256Hex, Form(description="The notice's `sha256`.")]
Wish = Annotated[
    BalanceWish | SkipJsonSchema[None],
    Form(
        description="What is to become of the money; needed with `ticket_needs.balance_fen`. After `RETURN` the "
        "account is closed only when the money has been returned."
    ),
]
Amount = Annotated[
    Fen | SkipJsonSchema[None], Form(description="With `balance`: the `ticket_needs.balance_fen` that was shown.")
]
Scan = Annotated[
    UploadFile | SkipJsonSchema[None],
    File(
        description="The stamped letter of consent: PDF, JPEG, PNG, TIFF, HEIC or WebP, at most 20 MiB, 20 pages and "
        "120 million pixels a picture; where `ticket_needs.letter` says so."
    ),
]


class _Filed:
    """What both have. A letter is read where it is needed; it may be large."""

    def __init__(self, paper: Paper, letter: UploadFile | None) -> None:
        self.paper: Final = paper
        self._letter = letter

    @property
    def letter(self) -> Upload | None:
        # One byte more than allowed is enough to be refused.
        return partial(self._letter.read, MAX_BYTES + 1) if self._letter else None


class _Filing(_Filed):
    def __init__(
        self,
        report_digest: ReportDigest,
        contact_email: Annotated[str, _EMAIL],
        contact_phone: Annotated[str, _PHONE],
        notice_version: Version,
        notice_sha256: Digest,
        statement_accepted: Accepted = False,
        balance: Wish = None,
        balance_fen: Amount = None,
        letter: Scan = None,
    ) -> None:
        paper = Paper(
            contact_email=contact_email,
            contact_phone=contact_phone,
            statement_accepted=statement_accepted,
            notice_version=notice_version,
            notice_sha256=notice_sha256,
            balance=_choice(balance, balance_fen),
        )
        super().__init__(paper, letter)
        self.report_digest: Final = report_digest


class _Materials(_Filed):
    def __init__(
        self,
        notice_version: Version,
        notice_sha256: Digest,
        contact_email: Annotated[str | SkipJsonSchema[None], _EMAIL] = None,
        contact_phone: Annotated[str | SkipJsonSchema[None], _PHONE] = None,
        statement_accepted: Accepted = False,
        balance: Wish = None,
        balance_fen: Amount = None,
        letter: Scan = None,
    ) -> None:
        paper = Paper(
            contact_email=contact_email,
            contact_phone=contact_phone,
            statement_accepted=statement_accepted,
            notice_version=notice_version,
            notice_sha256=notice_sha256,
            balance=_choice(balance, balance_fen),
        )
        super().__init__(paper, letter)


def _choice(wish: BalanceWish | None, amount_fen: int | None) -> BalanceChoice | None:
    """A word about money is one about a sum: each needs the other."""
    if wish is None and amount_fen is None:
        return None
    if wish is None or amount_fen is None:
        left_out = "balance" if wish is None else "balance_fen"
        raise RequestValidationError(
            [{"loc": ("body", left_out), "msg": "`balance` and `balance_fen` go together", "type": "form"}]
        )
    return BalanceChoice(wish=wish, amount_fen=amount_fen)


def _only_fields_of(kind: type[_Filed]) -> Callable[[Request], Awaitable[None]]:
    """Forms are read by field, so that the framework passes over what it does not look for."""
    fields = frozenset(signature(kind).parameters)

    async def refuse_others(request: Request) -> None:
        parts = (await request.form()).multi_items()
        unknown = sorted({name for name, _ in parts} - fields)
        twice = sorted(name for name in fields if sum(part == name for part, _ in parts) > 1)
        wrong = [(name, "Unknown field") for name in unknown] + [(name, "Given more than once") for name in twice]
        wrong += [(name, "A file, and no text") for name, part in parts if name != "letter" and isinstance(part, Part)]
        if wrong:
            raise RequestValidationError(
                [{"loc": ("body", name[:40]), "msg": why, "type": "form"} for name, why in wrong]
            )

    return refuse_others


ONLY_FILING: Final = Depends(_only_fields_of(_Filing))
ONLY_MATERIALS: Final = Depends(_only_fields_of(_Materials))
Filing = Annotated[_Filing, Depends()]
Materials = Annotated[_Materials, Depends()]
