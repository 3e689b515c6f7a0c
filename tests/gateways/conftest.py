import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from gateways.platform import HttpPlatform
from tests.gateways.upstream import DROP, Upstream, serve


@pytest.fixture(scope="session")
async def server() -> AsyncIterator[Upstream]:
    async with serve() as server:
        yield server


@pytest.fixture
def upstream(server: Upstream) -> Upstream:
    server.reply = DROP
    server.requests.clear()
    return server


@pytest.fixture(scope="module")
async def platform(server: Upstream) -> AsyncIterator[HttpPlatform]:
    async with HttpPlatform(server.urls, timeout=60) as platform:
        yield platform


BUCKET = "vault"


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real S3 server (SeaweedFS), with the bucket in it. Any credentials of `s3_config` open it."""
    folder = tmp_path_factory.mktemp("seaweedfs")
    accounts = folder / "s3.json"
    accounts.write_text(
        '{"identities": [{"name": "tests", "actions": ["Admin", "Read", "Write", "List"],'
        ' "credentials": [{"accessKey": "tests", "secretKey": "tests-only"}]}]}'
    )
    (folder / "data").mkdir()
    ports = _free_ports(8)
    names = ("master.port", "volume.port", "filer.port", "s3.port")
    options = [f"-{name}={port}" for name, port in zip(names, ports[:4], strict=True)]
    options += [f"-{name}.grpc={port}" for name, port in zip(names, ports[4:], strict=True)]
    endpoint = f"http://127.0.0.1:{ports[3]}"
    weed = Path(sys.executable).with_name("weed")
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [
                *(str(weed), "-logtostderr=true", "server", f"-dir={folder / 'data'}", "-ip=127.0.0.1"),
                *(
                    "-ip.bind=127.0.0.1",
                    "-master.telemetry=false",
                    "-volume.max=50",
                    "-master.volumeSizeLimitMB=64",
                    "-filer",
                    "-s3",
                    "-s3.iam=false",
                ),
                *("-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={accounts}", *options),
            ],
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for_bucket(server, endpoint, folder / "log")
            yield endpoint
        finally:
            # Nothing in it is worth the fifteen seconds that it takes to stop in peace.
            server.kill()
            server.wait()
            for port in ports:
                for left_over in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                    left_over.unlink()
            shutil.rmtree(folder)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _wait_for_bucket(server: subprocess.Popen[bytes], endpoint: str, log: Path) -> None:
    store = S3Store(
        BUCKET,
        endpoint=endpoint,
        region="us-east-1",
        access_key_id="tests",
        secret_access_key="tests-only",
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    deadline = time.monotonic() + 60
    while True:
        try:
            # The server makes a bucket on the first upload.
            store.put("ready", b"")
        except BaseError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"SeaweedFS did not start:\n{log.read_text()[-3000:]}") from None
            time.sleep(0.05)
        else:
            return
