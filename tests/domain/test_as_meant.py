"""What people type and paste: signs that look the same are the same, and what cannot be seen is not there."""

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.model import OpaqueId, TypedId, TypedSha256, as_meant

TYPED, STRICT = TypeAdapter[str](TypedId), TypeAdapter[str](OpaqueId)
INVISIBLE = st.characters(whitelist_categories=["Cf"])


def wide(text: str) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


@given(st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z"), st.data())
def test_an_id_is_found_under_full_width_and_invisible_signs(id: str, data: st.DataObject) -> None:
    signs = [data.draw(INVISIBLE) + (wide(sign) if data.draw(st.booleans()) else sign) for sign in id]
    assert TYPED.validate_python(" " + "".join(signs) + "\u3000") == id
    with pytest.raises(ValidationError):
        STRICT.validate_python("\u200b" + id)


def test_a_digest_is_found_as_well() -> None:
    digest = "0123456789abcdef" * 4
    assert TypeAdapter[str](TypedSha256).validate_python(f" \u200b{wide(digest)}\n") == digest


@given(st.text())
def test_what_was_meant_is_the_same_however_often_it_is_asked(text: str) -> None:
    meant = as_meant(text)
    assert not {category(sign) for sign in meant} & {"Cf"}
    assert as_meant(as_meant(meant)) == as_meant(meant)


@pytest.mark.parametrize("typed", ["１２３４５６", "123\u200b456", "\u202d123456\u202c", "\ufeff123456"])
def test_a_code_is_found_under_what_a_chat_adds(typed: str) -> None:
    assert as_meant(typed) == "123456"


@pytest.mark.parametrize("other", [7, None, True, 1.5])
def test_what_is_no_text_stays_what_it_is(other: object) -> None:
    assert as_meant(other) is other
