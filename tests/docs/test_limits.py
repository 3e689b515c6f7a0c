"""The table of limits in docs/process.md, against the one policy."""

from domain.policy import Policy
from tests.docs.documents import ROOT, rows
from tests.docs.limits import bounds, shown


def test_every_limit_is_listed_with_its_default_and_its_bounds() -> None:
    listed = [row[:3] for row in rows((ROOT / "docs" / "process.md").read_text(), "## Limits")]
    expected = []
    for name, field in Policy.model_fields.items():
        least, greatest = bounds(field)
        expected.append([f"`{name}`", shown(field.default), f"{shown(least)}, {shown(greatest)}"])
    assert listed == expected
