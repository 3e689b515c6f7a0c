"""Headers of every answer."""

from fastapi import FastAPI

from console.settings import ConsoleSettings


def install(app: FastAPI, settings: ConsoleSettings) -> None:
    pass
