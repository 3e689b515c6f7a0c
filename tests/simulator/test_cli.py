"""`python -m simulator`: what an operator types."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from httpx2 import AsyncClient

from runtime.settings import Settings
from simulator.cli import app, main
from simulator.seeds import SEEDS
from tests.simulator.conftest import served


@dataclass
class Cli:
    """Runs a command line in this process: starting Python anew takes longer than all the rest."""

    url: str
    capsys: pytest.CaptureFixture[str]

    def run(self, *args: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        self.capsys.readouterr()
        # A thread of its own, because a command runs its own event loop.
        with ThreadPoolExecutor(1) as thread:
            stopped = thread.submit(main, [*args, "--url", self.url]).exception()
        code = stopped.code if isinstance(stopped, SystemExit) else None
        assert isinstance(code, int), stopped
        return code, *self.capsys.readouterr()

    def ok(self, *args: str) -> str:
        code, out, err = self.run(*args)
        assert (code, err) == (0, "")
        return out

    def json(self, *args: str) -> Any:
        return json.loads(self.ok(*args, "--json"))


@pytest.fixture
def cli(base_url: str, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(base_url, capsys)


def test_accounts_are_listed_with_what_each_one_shows(cli: Cli) -> None:
    table = cli.ok("accounts")
    assert all(seed.id in table for seed in SEEDS)
    listed = {row["profile"]["account_id"]: row["situation"] for row in cli.json("accounts")}
    assert len(SEEDS) >= 14
    assert {seed.id: seed.situation for seed in SEEDS}.items() <= listed.items()


async def test_a_change_by_hand_shows_in_the_running_server(cli: Cli, http: AsyncClient, account: str) -> None:
    cli.ok("set", account, "available_fen=77", "resources.vm=2", "channels=PHONE")
    assert (await http.get(f"/accounts/{account}/balance")).json()["available_fen"] == 77
    shown = cli.json("show", account)
    assert shown["facts"]["RESOURCES"]["active"] == [{"product": "vm", "count": 2}]
    assert shown["profile"]["channels"] == ["PHONE"]
    assert json.loads(cli.ok("show", account)) == shown


async def test_the_outbox_shows_the_code_that_went_out(cli: Cli, http: AsyncClient, account: str) -> None:
    await http.post(f"/accounts/{account}/challenges", json={"channel": "PHONE", "request_id": "r"})
    [message] = cli.json("outbox", "--account", account)
    assert message["params"]["code"] in message["text"]
    assert message["params"]["code"] in cli.ok("outbox", "--account", account)


async def test_a_fault_set_by_hand_strikes_the_running_server(cli: Cli, http: AsyncClient, account: str) -> None:
    faults = cli.json("fault", "balance", "--kind", "error", "--status", "503", "--times", "0", "--account", account)
    assert {"endpoint": "balance", "account_id": account, "kind": "ERROR", "times_left": None}.items() <= faults[
        -1
    ].items()
    assert (await http.get(f"/accounts/{account}/balance")).status_code == 503
    assert cli.json("fault", "--clear") == []
    assert (await http.get(f"/accounts/{account}/balance")).status_code == 200


async def test_a_gate_set_by_hand_is_opened_by_hand(cli: Cli, http: AsyncClient, account: str) -> None:
    gate = cli.json("fault", "balance", "--kind", "gate", "--after", "--account", account)[-1]["id"]
    waiting = asyncio.create_task(http.get(f"/accounts/{account}/balance"))
    async with asyncio.timeout(20):
        while cli.json("fault")[-1]["arrived"] == 0:
            await asyncio.sleep(0.01)
    assert "GATE" in cli.ok("fault")
    assert cli.json("fault", "--open", str(gate))[-1]["opened"]
    assert (await waiting).status_code == 200


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["show", "acct-nobody"], 3, "No such account"),
        (["fault", "--open", "987654"], 3, "no gate"),
        (["fault", "balance", "--kind", "long-work"], 2, "LONG_WORK"),
        (["set", "acct-clean-phone", "colour=red"], 3, "colour"),
        (["fault", "no-such-endpoint"], 2, "endpoint"),
    ],
)
def test_a_mistake_is_explained_in_a_line(cli: Cli, args: list[str], code: int, said: str) -> None:
    returned, out, err = cli.run(*args)
    assert (returned, out) == (code, "")
    assert said in err
    assert len(err.splitlines()) == 1


def test_reset_brings_the_seeds_back_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served(str(tmp_path / "platform.db")) as url:
        cli = Cli(url, capsys)
        fresh = cli.json("accounts")
        cli.ok("set", "acct-clean-phone", "arrears_fen=5", "channels=EMAIL", "provider.WANXIANG=1", "vouchers=1,2")
        cli.ok("fault", "balance")
        assert cli.json("accounts") != fresh
        cli.ok("reset")
        assert cli.json("accounts") == fresh
        assert cli.json("fault") == []


def test_where_nobody_serves_the_next_step_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = Cli("http://127.0.0.1:1", capsys).run("accounts")
    assert (code, out) == (4, "")
    assert "python -m simulator serve" in err


def test_it_is_served_where_the_service_looks_for_its_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANCELLATION_PLATFORM_URL", raising=False)
    serve, bound, _ = app.parse_args(["serve"])
    bound.apply_defaults()
    assert serve.__name__ == "serve"
    assert str(Settings().platform_url) == f"http://{bound.arguments['host']}:{bound.arguments['port']}/"
