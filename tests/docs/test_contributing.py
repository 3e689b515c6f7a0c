"""The lists of CONTRIBUTING.md name every file that a change of their kind has to touch."""

import re

import pytest

from tests.docs.documents import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
FOLDERS = (
    "domain",
    "gateways",
    "activities",
    "workflows",
    "service",
    "console",
    "cli",
    "i18n",
    "simulator",
    "devtools",
)
KINDS = {".py", ".sql", ".toml"}


@pytest.mark.parametrize(
    ("heading", "sample"),
    [
        pytest.param(
            "Add a check",
            r"\b(check_provider|provider_roles|ProviderRoles|PROVIDER_ROLES|Check\.PROVIDER)\b",
            id="a check, such as that of providers",
        ),
        pytest.param(
            "Add a phase",
            r"\b(revoke_credentials|REVOKE_CREDENTIALS|revoke-credentials)\b",
            id="a phase of deletion, such as that of credentials",
        ),
    ],
)
def test_a_list_names_every_file_that_knows_the_one_there_is(heading: str, sample: str) -> None:
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    knowing = {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in KINDS and re.search(sample, path.read_text())
    }
    assert len(knowing) > 5
    assert not [file for file in sorted(knowing) if f"`{file}`" not in section]


def test_a_release_takes_ten_lines() -> None:
    section = PAGE.split("\n## Release\n", 1)[1]
    assert [int(number) for number in re.findall(r"^(\d+)\. ", section, re.MULTILINE)] == list(range(1, 11))
