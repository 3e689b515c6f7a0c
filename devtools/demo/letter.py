"""The letter of consent as an enterprise would scan it: drawn on the fly, a real PDF, with or without the seal."""

from io import BytesIO
from math import cos, pi, sin

from PIL import Image, ImageDraw, ImageFont

_A4 = (1240, 1754)
"""At 150 dpi."""
_RED = (200, 30, 30)


def scanned_letter(account_id: str, *, stamped: bool) -> bytes:
    """A PDF of one page."""
    page = Image.new("RGB", _A4, (252, 251, 247))
    draw = ImageDraw.Draw(page)
    draw.text((140, 150), "Letter of consent to cancel a cloud account", (20, 20, 20), ImageFont.load_default(40))
    body = (
        f"Account: {account_id}\n\nOur company asks for this account to be cancelled.\n"
        "We have read, understood and accepted the cancellation notice.\n"
        "We give up the balance of the account and its vouchers.\n\nSample Company 12 Ltd."
    )
    draw.multiline_text((140, 300), body, (40, 40, 40), ImageFont.load_default(28), spacing=18)
    if stamped:
        _stamp(draw, 820, 860)
    scan = BytesIO()
    page.save(scan, "PDF", resolution=150)
    return scan.getvalue()


def _stamp(draw: ImageDraw.ImageDraw, x: int, y: int) -> None:
    """The round red company seal with its star."""
    draw.ellipse((x - 150, y - 150, x + 150, y + 150), outline=_RED, width=9)
    points = [(x + r * sin(turn * pi / 5), y - r * cos(turn * pi / 5)) for turn, r in enumerate((60, 24) * 5)]
    draw.polygon(points, fill=_RED)
    draw.text((x, y + 95), "SAMPLE COMPANY", _RED, ImageFont.load_default(22), anchor="mm")
