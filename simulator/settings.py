"""What may be set on the simulator, by environment variables with the prefix `SIMULATOR_`."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_DATABASE = "sqlite:///.simulator/platform.db"

DEFAULT_PORT = 8090
"""Where the service looks for its platform when it is told nothing else."""

DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"


class Settings(BaseSettings):
    """Limits on codes and proofs, with the defaults that the platform contract promises."""

    model_config = SettingsConfigDict(env_prefix="SIMULATOR_", frozen=True, extra="ignore")

    database_url: str = DEFAULT_DATABASE
    code_life_seconds: int = Field(default=300, gt=0)
    code_tries: int = Field(default=5, gt=0)
    """Answers to one code."""

    resend_delay_seconds: int = Field(default=60, ge=0)
    """Between two codes to the same channel."""

    codes_per_day: int = Field(default=10, gt=0)
    """Codes sent to one account in a day of Asia/Shanghai."""

    wrong_answers_per_day: int = Field(default=20, gt=0)
    """Wrong answers to the codes that one account was sent in a day of Asia/Shanghai, whichever code they were for."""

    proof_life_seconds: int = Field(default=300, gt=0)
