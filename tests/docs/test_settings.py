"""Variables, defaults and configuration files that the documents name."""

import re
from pathlib import Path

import pytest
import temporalio.bridge
from pydantic_settings import BaseSettings
from temporalio.envconfig import ClientConfig

from console.settings import ConsoleSettings
from domain.notifications import Template
from gateways.contract import Group
from runtime.settings import Settings
from simulator.settings import Settings as SimulatorSettings
from tests.docs.documents import DOCUMENTS, READMES, ROOT, blocks, name, rows

SETTINGS = {f"CANCELLATION_{field}".upper(): field for field in Settings.model_fields}
CONSOLE_SETTINGS = {f"CONSOLE_{field}".upper(): field for field in ConsoleSettings.model_fields}
TABLES: list[tuple[str, str, type[BaseSettings], dict[str, str]]] = [
    ("README.md", "## Settings", Settings, SETTINGS),
    ("README.zh.md", "## 设置", Settings, SETTINGS),
    ("README.md", "### Settings of the console", ConsoleSettings, CONSOLE_SETTINGS),
    ("README.zh.md", "### 控制台的设置", ConsoleSettings, CONSOLE_SETTINGS),
]


MADE_ANEW = {"CONSOLE_SECRET"}
"""Without a default of its own: each process makes one."""

NO_SETTINGS = {*Template, "TEMPORAL_TAG", "TEMPORAL_UI_TAG"}
"""Messages to people, and variables of .env."""


def _named(prefix: str) -> set[str]:
    text = "\n".join(document.read_text() for document in DOCUMENTS)
    return set(re.findall(rf"\b{prefix}_[A-Z_]+[A-Z]\b", text)) - NO_SETTINGS


def test_every_variable_that_is_named_exists() -> None:
    assert _named("CANCELLATION") == set(SETTINGS)
    assert _named("CONSOLE") == set(CONSOLE_SETTINGS)
    assert _named("SIMULATOR") <= {f"SIMULATOR_{field}".upper() for field in SimulatorSettings.model_fields}


def test_temporals_own_variables_are_known_to_its_sdk() -> None:
    assert len(_named("TEMPORAL")) >= 8
    assert not [variable for variable in _named("TEMPORAL") if variable.encode() not in _SDK]


def test_every_metric_that_is_named_is_one_of_the_sdks() -> None:
    named = set(re.findall(r"\btemporal_[a-z_]+\b", (ROOT / "docs" / "runbook-ops.md").read_text()))
    stems = {re.sub(r"(_seconds)?(_bucket|_total)?$", "", metric.removeprefix("temporal_")) for metric in named}
    assert len(stems) >= 8
    assert not [stem for stem in stems if stem.encode() not in _SDK]


_SDK = next(Path(str(temporalio.bridge.__file__)).parent.glob("temporal_sdk_bridge*")).read_bytes()


@pytest.mark.parametrize(("readme", "heading", "kind", "fields"), TABLES)
def test_the_table_of_settings_is_complete_with_their_defaults(
    readme: str, heading: str, kind: type[BaseSettings], fields: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in fields:
        monkeypatch.delenv(variable, raising=False)
    table = rows((ROOT / readme).read_text(), heading)
    assert [_code(row[0]) for row in table] == list(fields)
    defaults = kind()
    for variable, cell, *_ in table:
        value = getattr(defaults, fields[_code(variable)])
        if _code(variable) == "CANCELLATION_VAULT_URL":
            assert value.endswith(_code(cell))
        elif value is None or _code(variable) in MADE_ANEW:
            assert cell == "-"
        else:
            monkeypatch.setenv(_code(variable), _code(cell))
            assert getattr(kind(), fields[_code(variable)]) == value, variable


def _code(cell: str) -> str:
    found = re.search(r"`([^`]+)`", cell)
    assert found, cell
    return found[1]


@pytest.mark.parametrize("readme", READMES, ids=name)
def test_the_example_of_several_platforms_can_be_used(readme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [block] = [block for block in blocks(readme, "sh") if "PLATFORM_URLS" in block.text]
    for variable, value in re.findall(r"^export (\w+)='?([^'\n]+)'?$", block.text, re.MULTILINE):
        monkeypatch.setenv(variable, value)
    urls = Settings().platform_base_urls()
    assert urls[Group.BILLING] == "https://billing.internal"
    assert urls[Group.IDENTITY] == "https://platform.internal"
    assert {f"`{group}`" for group in Group} <= set(re.findall(r"`\w+`", readme.read_text()))


@pytest.mark.parametrize("readme", READMES, ids=name)
def test_the_profile_of_the_readme_can_be_loaded(readme: Path, tmp_path: Path) -> None:
    [profile] = blocks(readme, "toml")
    files = {path: tmp_path / Path(path).name for path in re.findall(r'"(/[^"]+)"', profile.text)}
    text = profile.text
    for path, file in files.items():
        file.write_text("stands for a key or a certificate")
        text = text.replace(path, str(file))
    (tmp_path / "temporal.toml").write_text(text)
    loaded = ClientConfig.load_client_connect_config(
        profile="production",
        config_file=str(tmp_path / "temporal.toml"),
        # An unknown key is an error.
        config_file_strict=True,
        disable_env=True,
    )
    assert loaded["target_host"] == "temporal.internal:7233"
    assert loaded["namespace"] == "account-cancellation"
    assert loaded["tls"]
