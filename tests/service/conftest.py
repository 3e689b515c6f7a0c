"""An evidence vault of the test's own."""

from pathlib import Path

import pytest

from gateways.vault import ObjectVault


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def vault(folder: Path) -> ObjectVault:
    return ObjectVault(folder.as_uri())
