"""The secured broker of one town on this machine: its certificates, and what each process is told of them."""

from dataclasses import dataclass
from pathlib import Path

from asty_appliance.home import Home
from asty_appliance.security.mosquitto import Tls, access, configuration
from asty_appliance.work import run_once

LOCAL = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class Door:
    """Where the files of a home lie. `hosts` are the names at which edges reach the broker; `bind` limits the listener to one address."""

    home: Home
    org: str
    hosts: tuple[str, ...]
    bind: str = ""

    @property
    def authorities(self) -> Path:
        return self.home.data / "ca"

    @property
    def pid_file(self) -> Path:
        return self.home.data / "mqtt" / "mosquitto.pid"

    def prepare(self, cloud_api: str, dsn: str) -> str:
        """Let cloud-api make what certificates are missing or due, and return what it says. Raises WorkFailedError."""
        hosts = [word for host in dict.fromkeys((*self.hosts, *LOCAL)) for word in ("--broker", host)]
        environment = {"ASTY_ORG": self.org, "ASTY_DATABASE_DSN": dsn, "ASTY_CA_FOLDER": str(self.authorities)}
        return run_once((cloud_api, "enrol", "prepare", *hosts), environment)

    def write(self, port: int, *, production: bool) -> Path:
        """Write mosquitto.conf and the access list; returns the former's path."""
        config, acl = self.home.data / "mosquitto.conf", self.home.data / "mosquitto.acl"
        acl.write_text(access(self.org))
        listener = Tls(port, self.authorities / "broker", acl, self.pid_file, self.bind)
        config.write_text(configuration(listener, self.home.data / "mqtt", production=production))
        return config

    def of_programs(self, port: int) -> dict[str, dict[str, str]]:
        """Return what cloud-api, which enrols edges and cuts them off, and the broker's clients are told, by program."""
        office = {
            "ASTY_CA_FOLDER": str(self.authorities),
            "ASTY_BROKER_HOST": LOCAL[0],
            "ASTY_BROKER_PORT": str(port),
            "ASTY_BROKER_PID_FILE": str(self.pid_file),
            "ASTY_ENROLMENT_CODE": self.home.secret("enrolment-code"),
        }
        return {"cloud-api": office, "ingest": self._of_client("asty-ingest"), "stream": self._of_client("asty-stream")}

    def _of_client(self, name: str) -> dict[str, str]:
        return {
            "ASTY_PRODUCTION": "1",
            "ASTY_MQTT_TLS_CA": str(self.authorities / "broker" / "ca.pem"),
            "ASTY_MQTT_TLS_CERT": str(self.authorities / "services" / f"{name}.pem"),
            "ASTY_MQTT_TLS_KEY": str(self.authorities / "services" / f"{name}.key"),
        }
