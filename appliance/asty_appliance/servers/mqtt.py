"""The MQTT broker: mosquitto when the machine has it, else rumqttd, which the iotcore wheel carries."""

import os
import shutil
import sys

from asty_appliance.home import Home
from asty_appliance.program import Program, TcpCheck
from asty_appliance.security.door import Door
from asty_appliance.security.mosquitto import Plain, PlainTextError, configuration
from asty_appliance.unprivileged import as_nobody, give_to_nobody

_RUMQTTD = """\
id = 0

[router]
id = 0
max_connections = 2000
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 4

[v4.1]
name = "asty"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1

[v4.1.connections]
connection_timeout_ms = 60000
max_payload_size = 300000
max_inflight_count = 200
dynamic_filters = true
"""


def mosquitto() -> str | None:
    """Return the path of mosquitto, which Debian puts where only root's PATH looks."""
    return shutil.which("mosquitto", path=f"{os.defpath}:/usr/local/sbin:/usr/sbin:/sbin")


def protocol() -> str:
    """Return the newest MQTT version that the broker of this machine speaks: 5 or 3.1.1."""
    return "5" if mosquitto() else "3.1.1"


def program(home: Home, port: int, door: Door | None = None) -> Program:
    """Write the broker's configuration and return its program: behind the town's door, or, without one, for this machine only.

    Raises PlainTextError when there is a door and no mosquitto, whose fallback knows no access list.
    """
    data = home.data / "mqtt"
    give_to_nobody(data)
    binary = mosquitto()
    if door is not None and binary is None:
        raise PlainTextError("production needs mosquitto, which keeps each edge to its own topics: install it (apt-get install mosquitto)")
    if binary:
        if door is not None:
            config = door.write(port, production=True)
        else:
            config = home.data / "mosquitto.conf"
            config.write_text(configuration(Plain(port), data, production=False))
        command: tuple[str, ...] = (binary, "-c", str(config))
    else:
        config = home.data / "rumqttd.toml"
        config.write_text(_RUMQTTD.format(port=port))
        command = (sys.executable, "-m", "iotcore", "--config", str(config), "--log-level", "warning")
    return Program(
        name="mqtt",
        stage="server",
        command=as_nobody(command),
        folder=str(data),
        check=TcpCheck(port),
        address=f"{'mqtts' if door else 'mqtt'}://127.0.0.1:{port}",
    )
