"""The Temporal client, made the same way in every process."""

from typing import Any

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from runtime.payloads import DATA_CONVERTER

DEFAULT_ADDRESS = "localhost:7233"


def connect_options() -> dict[str, Any]:
    """Address, namespace, TLS and API key, from `TEMPORAL_*` variables and the TOML profile that the CLI reads too."""
    return {"target_host": DEFAULT_ADDRESS, **ClientConfig.load_client_connect_config()}


def telemetry(metrics_address: str | None) -> Runtime | None:
    """A runtime that serves Prometheus metrics, or None for the default one. Make it before any client."""
    if metrics_address is None:
        return None
    prometheus = PrometheusConfig(
        bind_address=metrics_address, counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
    )
    return Runtime(telemetry=TelemetryConfig(metrics=prometheus))


async def connect(**overrides: Any) -> Client:
    """Connect. Payloads are pydantic models as JSON, in clear: nothing personal ever enters one."""
    return await Client.connect(**{**connect_options(), "data_converter": DATA_CONVERTER, **overrides})
