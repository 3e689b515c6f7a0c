"""Settings of every process, from `CANCELLATION_*` variables; the Temporal connection has its own (`TEMPORAL_*`)."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from pydantic import Field, HttpUrl
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateways.contract import Group


class LogFormat(StrEnum):
    CONSOLE = "console"
    JSON = "json"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CANCELLATION_", frozen=True, extra="forbid")

    task_queue: str = "account-cancellation"

    platform_url: HttpUrl = HttpUrl("http://127.0.0.1:8090")
    """Base URL of the platform contract."""
    platform_urls: dict[Group, HttpUrl] = {}
    """Base URLs of single groups, as JSON: `{"billing": "https://billing.internal"}`; the rest is at `platform_url`."""
    platform_timeout: timedelta = Field(default=timedelta(seconds=4), le=timedelta(seconds=12))
    """One HTTP call. Below every activity's own time-out (15 s), so that the clearer error wins."""

    vault_url: str = Field(default_factory=(Path.cwd() / ".local" / "vault").as_uri)
    """`file:///...`, or any S3-compatible store by URL, with the AWS_* variables of the object store."""

    letter_trust_roots: Path | None = None
    """A PEM file, or a folder of them, by an absolute path: who may vouch for electronic signatures. Unset, nobody."""

    calendar_dir: Path | None = None
    """A folder of `<year>.toml` files that replace or add years of the business calendar."""

    log_format: LogFormat = LogFormat.CONSOLE
    log_level: str = "INFO"

    metrics_address: str | None = None
    """`host:port` to serve Prometheus metrics at; off by default."""
    health_port: int | None = None
    """Port of `/healthz` and `/readyz`; off by default."""
    health_host: str = "127.0.0.1"

    drain: timedelta = timedelta(seconds=30)
    """How long a stopping worker lets running activities finish. The container's stop grace must be longer."""

    max_concurrent_activities: int = 100
    max_concurrent_workflow_tasks: int = 100
    max_cached_workflows: int = 400
    max_activities_per_second: float | None = Field(default=None, gt=0)
    """What all workers together begin a second, so that a platform that is just back is not overrun; unset, no limit.
    Temporal keeps it, for each of the two task queues by itself: deletions have their own. Set it alike everywhere."""

    def platform_base_urls(self) -> dict[Group, str]:
        return {group: str(self.platform_urls.get(group, self.platform_url)).rstrip("/") for group in Group}
