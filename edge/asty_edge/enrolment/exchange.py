"""One POST to the town. The certificate request holds no secret, but who answers must be the town: hence HTTPS, or loopback."""

import http.client
import ipaddress
import ssl
from urllib.parse import urlsplit

import msgspec
from asty_contracts.enrolment import PATH, EnrolmentAnswer, EnrolmentRefused

TIMEOUT_S = 20.0
MAX_ANSWER = 65_536  # bytes


class AddressError(Exception):
    """The address can't be used: says what was expected."""


class UnreachableError(Exception):
    """Nobody answered, or not now: ask again later."""


class RefusedError(Exception):
    """The town refuses: asking again will not help; says why and what a person does."""


def check_address(url: str) -> None:
    """Raises AddressError."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise AddressError(f"{url!r} is no address: {error}") from error
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment:
        raise AddressError(f"{url!r}: expected https://HOST[:PORT][/PATH]")
    if parts.scheme == "http" and not _is_loopback(host):
        raise AddressError(f"{url!r}: plain http only reaches this machine itself; expected https://")


def post(url: str, body: bytes, ca: str) -> EnrolmentAnswer:
    """Ask once. The town's own authority is trusted beside the system's. Raises AddressError, UnreachableError, RefusedError."""
    check_address(url)
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        context.load_verify_locations(cadata=ca)
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=TIMEOUT_S, context=context)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("POST", parts.path.rstrip("/") + PATH, body, {"Content-Type": "application/json", "Accept": "application/json"})
        response = connection.getresponse()
        status, answer = response.status, response.read(MAX_ANSWER)
    except ssl.SSLCertVerificationError as error:
        raise RefusedError(f"{url} is not the town's server: {error.verify_message}; check the address and this machine's clock") from error
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(f"{url} does not answer: {error}") from error
    finally:
        connection.close()
    return _read(url, status, answer)


def _read(url: str, status: int, answer: bytes) -> EnrolmentAnswer:
    try:
        if status == http.client.OK:
            return msgspec.json.decode(answer, type=EnrolmentAnswer)
        refused = msgspec.json.decode(answer, type=EnrolmentRefused)
    except msgspec.MsgspecError as error:
        if 400 <= status < 500 and status != http.client.TOO_MANY_REQUESTS:
            raise RefusedError(f"{url} answers {status} and knows no enrolment: check the address") from error
        raise UnreachableError(f"{url} answers {status} and says nothing that can be read") from error
    if status >= 500 or status == http.client.TOO_MANY_REQUESTS:
        raise UnreachableError(f"{refused.error}; {refused.advice}")
    raise RefusedError(f"{refused.error}; {refused.advice}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
