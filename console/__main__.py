"""`python -m console`: serve until SIGTERM or SIGINT."""

import logging
import os
import signal
import sys
from contextlib import suppress
from functools import partial

import uvicorn

from console.app import create_app
from console.services import open_services
from console.settings import ConsoleSettings
from runtime.logs import configure_logging
from runtime.settings import Settings


def main() -> None:
    settings, service = ConsoleSettings(), Settings()
    configure_logging(service.log_format, service.log_level)
    # It tells its code verifiers at DEBUG.
    logging.getLogger("authlib").setLevel(logging.INFO)
    # uvicorn raises the signal again once it has stopped; in this form it swallows it, and the exit code is 0.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app = create_app(settings, partial(open_services, settings, service))
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    )
    # A long poll must not hold up a deployment: it answers as soon as the server is told to stop.
    app.state.is_stopping = lambda: server.should_exit
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(1)
    sys.stderr.flush()
    # temporalio's native threads may abort the interpreter's own exit (sdk-python #300); everything is closed by now.
    os._exit(0)


if __name__ == "__main__":
    main()
