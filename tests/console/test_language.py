"""The other language is one click away, on the same page."""

import re
from urllib.parse import parse_qs

from console.auth.roles import Role
from domain.locale import Locale
from tests.console.conftest import Console


def _link(html: str, to: Locale = Locale.ZH) -> dict[str, list[str]] | None:
    found = re.search(rf'class="language" href="\?([^"]+)" lang="{to}"', html)
    return parse_qs(found[1].replace("&amp;", "&")) if found else None


async def test_the_link_keeps_what_the_page_was_asked_for(console: Console) -> None:
    async with console.signed_in(Role.AGENT) as agent:
        page = await agent.get("/staff", params={"real_name_type": "ENTERPRISE"})
        assert page.status_code == 200
        assert _link(page.text) == {"real_name_type": ["ENTERPRISE"], "lang": [Locale.ZH]}
        chinese = await agent.get("/staff", params=_link(page.text))
        assert 'lang="zh-CN"' in chinese.text
        assert _link(chinese.text, Locale.EN) == {"real_name_type": ["ENTERPRISE"], "lang": [Locale.EN]}


async def test_a_refused_form_offers_no_link_to_an_address_that_only_takes_forms(console: Console) -> None:
    account = await console.service.account()
    await console.service.start(account)
    async with console.owner(account) as owner:
        refused = await owner.post("/owner/code-answer", data={"code": "000000"})
        assert refused.status_code in (409, 422)
        assert _link(refused.text) is None
