"""The built-in town on a real Valhalla."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asty_town
import httpx
import pytest
from asty_appliance.home import Home
from asty_appliance.servers import valhalla


@pytest.fixture(scope="session")
def town(town_file: Path) -> asty_town.Town:
    return asty_town.read(town_file)


class Server:
    """The appliance's own Valhalla program on tiles of the town."""

    def __init__(self, folder: Path, town_file: Path, port: int) -> None:
        home = Home(folder)
        home.make()
        self.program = valhalla.program(home, port)
        valhalla.build(home, town_file, lambda _: None)
        self.url = self.program.address
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self.program.command, cwd=self.program.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/status", trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.05)
        pytest.fail("Valhalla did not start in 30 s")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="session")
def new_server(server_folder: Callable[[str], Path], free_port: Callable[[], int]) -> Callable[[Path], Server]:
    """Return a maker of servers: `new_server(town_file)` builds the tiles and starts."""

    def make(town_file: Path) -> Server:
        server = Server(server_folder("valhalla"), town_file, free_port())
        server.start()
        return server

    return make


@pytest.fixture(scope="session")
def server(new_server: Callable[[Path], Server], town_file: Path) -> Iterator[Server]:
    server = new_server(town_file)
    yield server
    server.kill()
