"""docker-compose.yml against itself and against the code."""

import os
import re
import shutil
import subprocess

import pytest
from pydantic import ValidationError

from console.settings import ConsoleSettings
from devtools.demo.stack import TEMPORAL
from runtime.settings import LogFormat, Settings
from simulator.settings import DEFAULT_PORT
from simulator.settings import Settings as SimulatorSettings
from tests.deploy import compose
from tests.deploy.compose import OWN, ROOT, environment, seconds, services

JOBS = {name for name, service in services.items() if service["restart"].startswith("on-failure")}


def test_every_variable_is_defined_or_asked_for_and_none_is_left_over() -> None:
    asked_for = {name for name, is_asked_for in compose.variables.items() if is_asked_for}
    assert asked_for == {"POSTGRES_PASSWORD", "CONSOLE_SECRET"}
    assert set(compose.variables) - asked_for == set(compose.dot_env)


def test_no_secret_is_in_the_files() -> None:
    assert not [name for name in compose.dot_env if re.search("PASSWORD|SECRET|KEY|TOKEN", name)]
    for service in services:
        given = environment(service)
        secrets = {value for name, value in given.items() if re.search("PASSWORD|PWD|SECRET", name)}
        assert secrets <= {compose.GIVEN}


def test_a_service_is_either_a_job_that_ends_or_runs_on_with_a_health_check() -> None:
    assert {"schema", "namespace"} == JOBS
    for name, service in services.items():
        if name not in JOBS:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"][0] == "CMD", name
            assert service["healthcheck"]["retries"] > 0, name


def test_every_dependency_is_a_service_that_can_meet_its_condition() -> None:
    for name, service in services.items():
        for needed, rule in service.get("depends_on", {}).items():
            assert needed in services, f"{name} needs {needed}"
            expected = "service_completed_successfully" if needed in JOBS else "service_healthy"
            assert rule["condition"] == expected, f"{name} needs {needed}"
            # With a platform of one's own there is no pretend one to wait for.
            assert rule.get("required", True) == ("profiles" not in services[needed]), f"{name} needs {needed}"


def test_the_pretend_platform_runs_only_when_it_is_asked_for() -> None:
    assert {name for name, service in services.items() if "profiles" in service} == {"simulator"}
    assert services["simulator"]["profiles"] == ["demo"]
    assert services["simulator"]["image"] != services["worker"]["image"] == services["console"]["image"]


@pytest.mark.parametrize("last", ["worker", "console"])
def test_our_programs_start_last_when_database_schema_server_and_namespace_are_ready(last: str) -> None:
    order, waiting = [], [last]
    while waiting:
        order.append(service := waiting.pop(0))
        waiting += services[service].get("depends_on", {})
    assert [name for name in order if name != "simulator"] == [last, "namespace", "temporal", "schema", "postgres"]


def test_every_image_is_pinned_to_an_exact_version() -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    images = [service["image"] for service in services.values() if "build" not in service]
    images += [image for image in re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE) if image != "base"]
    assert len(images) > len(services) - len(OWN)
    for image in images:
        assert re.fullmatch(r"[\w./-]+:\d+\.\d+(\.\d+)?(-\w+)*", image), image


def test_the_schema_and_namespace_jobs_are_of_the_servers_own_version() -> None:
    tags = {services[name]["image"].split(":")[1] for name in ("schema", "namespace", "temporal")}
    assert tags == {compose.dot_env["TEMPORAL_TAG"]}


def test_the_server_is_of_the_version_that_the_tests_run() -> None:
    version = subprocess.run([TEMPORAL, "--version"], capture_output=True, text=True, check=True).stdout
    assert f"Server {compose.dot_env['TEMPORAL_TAG']}," in version
    assert f"UI {compose.dot_env['TEMPORAL_UI_TAG']}" in version


def test_every_port_is_on_loopback_and_no_two_share_one() -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert len(ports) == 5
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports), ports
    assert len({port.split(":")[1] for port in ports}) == len(ports)


def test_nothing_else_listens_for_the_database() -> None:
    assert "ports" not in services["postgres"]


def test_the_number_of_history_shards_is_chosen_not_left_at_four() -> None:
    assert int(environment("temporal")["NUM_HISTORY_SHARDS"]) >= 64


def test_the_ui_can_only_look() -> None:
    assert environment("ui")["TEMPORAL_DISABLE_WRITE_ACTIONS"] == "true"


@pytest.mark.parametrize("service", OWN)
def test_our_containers_have_no_rights_they_do_not_need(service: str) -> None:
    definition = services[service]
    assert definition["read_only"] is True
    assert definition["cap_drop"] == ["ALL"]
    assert definition["security_opt"] == ["no-new-privileges:true"]
    user = re.findall(r"^USER (\S+)", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    assert user == ["10001:10001"] * 2


@pytest.mark.parametrize("service", OWN)
def test_what_is_written_lies_on_a_volume_that_the_image_prepares(service: str) -> None:
    [volume, folder] = services[service]["volumes"][0].split(":")
    assert volume in compose.document["volumes"]
    assert re.search(rf"install -d .*{folder}\b", (ROOT / "deploy" / "Dockerfile").read_text())
    given = environment(service)
    assert folder in (given["SIMULATOR_DATABASE_URL"] if service == "simulator" else given["CANCELLATION_VAULT_URL"])


def test_the_console_reads_the_letters_that_the_worker_seals() -> None:
    assert services["console"]["volumes"][0] == services["worker"]["volumes"][0]
    shared = {name: value for name, value in environment("worker").items() if name in environment("console")}
    assert shared.items() <= environment("console").items()
    assert {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "CANCELLATION_PLATFORM_URL"} <= shared.keys()


def test_every_setting_of_our_services_exists_and_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _worker_settings(monkeypatch)
    assert settings.log_format is LogFormat.JSON
    assert str(settings.platform_url) == f"http://simulator:{DEFAULT_PORT}/"
    known = {f"CANCELLATION_{name}".upper() for name in Settings.model_fields}
    known |= {f"SIMULATOR_{name}".upper() for name in SimulatorSettings.model_fields}
    known |= {f"CONSOLE_{name}".upper() for name in ConsoleSettings.model_fields}
    ours = re.findall(r"^ +((?:CANCELLATION|CONSOLE|SIMULATOR)_\w+):", compose.text, re.MULTILINE)
    assert set(ours) <= known
    assert len(ours) >= 18


def test_the_console_listens_at_its_own_port_and_never_with_the_development_sign_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment("console").items():
        monkeypatch.setenv(name, value)
    settings = ConsoleSettings()
    port = ConsoleSettings.model_fields["port"].default
    assert (settings.host, settings.port, settings.origin) == ("0.0.0.0", port, f"http://127.0.0.1:{port}")
    assert services["console"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert settings.secret.get_secret_value() == compose.GIVEN
    assert f":{compose.dot_env['TEMPORAL_UI_PORT']}/" in str(settings.temporal_ui_url)
    assert not settings.development_sign_in
    monkeypatch.setenv("CONSOLE_DEVELOPMENT_SIGN_IN", "true")
    with pytest.raises(ValidationError, match="needs loopback addresses"):
        ConsoleSettings()


def test_the_simulator_listens_at_its_own_port_inside_and_outside() -> None:
    assert services["simulator"]["command"][-2:] == ["--port", str(DEFAULT_PORT)]
    assert services["simulator"]["ports"] == [f"127.0.0.1:{DEFAULT_PORT}:{DEFAULT_PORT}"]


def test_the_stop_grace_is_longer_than_the_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    drain = _worker_settings(monkeypatch).drain.total_seconds()
    assert drain > 0
    assert seconds(services["worker"]["stop_grace_period"]) > drain


def _worker_settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment("worker").items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_namespace_and_address_are_the_same_everywhere() -> None:
    assert {environment(name)["TEMPORAL_ADDRESS"] for name in ("namespace", "ui", "worker")} == {"temporal:7233"}
    names = {environment(name)["TEMPORAL_NAMESPACE"] for name in ("namespace", "worker")}
    assert names == {environment("ui")["TEMPORAL_DEFAULT_NAMESPACE"]}


@pytest.mark.parametrize("service", [name for name in services if "deploy/temporal" in str(services[name])])
def test_every_file_that_is_mounted_exists(service: str) -> None:
    [mount] = services[service]["volumes"]
    source, folder, mode = mount.split(":")
    assert mode == "ro"
    inside = [*services[service].get("entrypoint", []), *environment(service).values()]
    files = [path.removeprefix(f"{folder}/") for path in inside if path.startswith(f"{folder}/")]
    assert files
    assert all((ROOT / source / file).is_file() for file in files), files


def test_composes_own_parser_reads_it_where_there_is_one() -> None:
    """It needs no engine, but few machines without one have it."""
    if docker_compose := _docker_compose():
        subprocess.run(
            [*docker_compose, "--file", ROOT / "docker-compose.yml", "config", "--quiet"],
            env={**os.environ, **dict.fromkeys(("POSTGRES_PASSWORD", "CONSOLE_SECRET"), compose.GIVEN)},
            check=True,
        )


def _docker_compose() -> list[str]:
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0:
        return [docker, "compose"]
    return []


@pytest.mark.parametrize("script", ["schema.sh", "namespace.sh"])
def test_a_job_s_script_is_valid_shell(script: str) -> None:
    subprocess.run(["sh", "-n", ROOT / "deploy" / "temporal" / script], check=True)
