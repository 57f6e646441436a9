"""What every carrier keeps: a message goes out once or says why not, and receipts come back. Against real protocols."""

import asyncio
import base64
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import http_ece
import pytest
from asty_citizen_services.identity.notifier import Message, NotSentError
from asty_citizen_services.notices import carriers
from asty_citizen_services.notices.carrier import Carrier, Parcel, RefusedByCarrierError, UnclearError
from asty_citizen_services.notices.console import ConsoleCarrier
from asty_citizen_services.notices.gateway import Gateway
from asty_citizen_services.notices.mail import Mail
from asty_citizen_services.notices.push import Push
from asty_citizen_services.notices.smpp import Smpp
from asty_citizen_services.notices.smsc_double import Centre
from asty_citizen_services.settings import MailSettings, NoticeSettings, SmppSettings
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

GREEK = "Η αίτησή σας πρωτοκολλήθηκε. "


class Loop:
    """An event loop in a thread, for servers that are written with asyncio."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def run(self, what: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(10)

    def close(self) -> None:
        async def end() -> None:
            others = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
            for one in others:
                one.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.sleep(0)  # what was closed just now goes away in the next round

        self.run(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


@pytest.fixture
def centre(loop: Loop) -> Iterator[tuple[Centre, SmppSettings]]:
    centre = Centre("asty", "hush")
    server = loop.run(centre.serve("127.0.0.1", 0))
    yield centre, SmppSettings("127.0.0.1", server.sockets[0].getsockname()[1], "asty", "hush", "DIMOS")
    loop.loop.call_soon_threadsafe(server.close)


class Heard:
    """What an HTTP server was told, and what it answers."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: Callable[[], tuple[int, bytes]] = lambda: (202, json.dumps({"id": f"g{len(self.calls)}"}).encode())


@pytest.fixture
def http() -> Iterator[tuple[Heard, str]]:
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.calls.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status, said = heard.answer()
            self.send_response(status)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield heard, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def parcel(text: str = GREEK, address: str = "+306941234567") -> Parcel:
    return Parcel("4f0c9c3e-0000-4000-8000-000000000001", address, "Αρ. πρωτ. 1/2026", text, "https://a.gr/notices")


def test_a_long_greek_message_reaches_the_centre_in_parts_that_a_phone_joins(centre: tuple[Centre, SmppSettings]) -> None:
    it, account = centre
    ids = Smpp(account, timeout=5).send(parcel(GREEK * 8))
    assert list(ids) == [one.id for one in it.submitted]
    assert len(ids) == 2
    assert [(one.total, one.number) for one in it.submitted] == [(2, 1), (2, 2)]
    assert len({one.reference for one in it.submitted}) == 1
    assert "".join(one.text for one in it.submitted) == "H AITHΣH ΣAΣ ΠPΩTOKOΛΛHΘHKE. " * 8
    assert {(one.to, one.sender) for one in it.submitted} == {("306941234567", "DIMOS")}


def test_receipts_that_the_centre_kept_are_fetched_once(centre: tuple[Centre, SmppSettings]) -> None:
    it, account = centre
    it.unreachable.add("306940000000")
    smpp = Smpp(account, timeout=5)
    (first,), (second,) = smpp.send(parcel()), smpp.send(parcel(address="+306940000000"))
    found = {one.carrier_id: (one.state, one.why) for one in smpp.receipts(seconds=0.3)}
    assert found == {first: ("delivered", ""), second: ("failed", "UNDELIV, error 027")}
    assert list(smpp.receipts(seconds=0.3)) == []


def test_a_centre_that_is_away_throttles_or_refuses_is_told_apart(centre: tuple[Centre, SmppSettings]) -> None:
    it, account = centre
    with pytest.raises(NotSentError, match="refused to bind"):
        Smpp(SmppSettings("127.0.0.1", 1, "a", "b", "c"), timeout=2).send(parcel())
    with pytest.raises(NotSentError, match="refused to bind"):
        Smpp(SmppSettings("127.0.0.1", account.port, "asty", "wrong", "DIMOS"), timeout=5).send(parcel())
    it.statuses.append(0x58)
    with pytest.raises(NotSentError):
        Smpp(account, timeout=5).send(parcel())
    with pytest.raises(RefusedByCarrierError):
        Smpp(account, timeout=5).send(parcel(address="+12"))
    it.mute = True
    with pytest.raises(UnclearError):
        Smpp(account, timeout=5).send(parcel())


def test_half_a_long_message_is_not_sent_again_by_itself(centre: tuple[Centre, SmppSettings]) -> None:
    it, account = centre

    class Once(Smpp):
        def _submit(self, *arguments: Any) -> str:
            if it.submitted:
                it.statuses.append(0x58)
            return super()._submit(*arguments)

    with pytest.raises(UnclearError, match="1 of 2 parts"):
        Once(account, timeout=5).send(parcel(GREEK * 8))


def test_a_gateway_gets_what_it_will_bill_and_knows_a_repeated_message(http: tuple[Heard, str]) -> None:
    heard, url = http
    gateway = Gateway(url, "key", "DIMOS", timeout=5)
    assert gateway.send(parcel()) == ("g1",)
    path, headers, body = heard.calls[0]
    assert (path, headers["authorization"], headers["idempotency-key"]) == ("/messages", "Bearer key", parcel().reference)
    said = json.loads(body)
    assert (said["to"], said["coding"], said["segments"], said["text"]) == ("+306941234567", "gsm7", 1, "H AITHΣH ΣAΣ ΠPΩTOKOΛΛHΘHKE. ")


@pytest.mark.parametrize(("status", "error"), [(422, RefusedByCarrierError), (503, NotSentError), (429, NotSentError), (202, NotSentError)])
def test_a_gateway_that_refuses_is_not_asked_again_and_a_tired_one_is(http: tuple[Heard, str], status: int, error: type[Exception]) -> None:
    heard, url = http
    heard.answer = lambda: (status, b"{}")
    with pytest.raises(error):
        Gateway(url, "key", "DIMOS", timeout=5).send(parcel())


def test_a_push_is_readable_by_its_browser_alone_and_a_gone_one_is_told(http: tuple[Heard, str]) -> None:
    heard, url = http
    browser, vapid, secret = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1()), b"0123456789abcdef"
    public = browser.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    subscription = {"endpoint": f"{url}/push/1", "keys": {"p256dh": _b64(public), "auth": _b64(secret)}}
    key = _b64(vapid.private_numbers().private_value.to_bytes(32, "big"))
    heard.answer = lambda: (201, b"")
    Push(key, "mailto:it@example.gr", timeout=5).send(parcel(address=json.dumps(subscription)))
    _, headers, body = heard.calls[0]
    read = json.loads(http_ece.decrypt(body, private_key=browser, auth_secret=secret, version="aes128gcm"))
    assert (read["title"], read["body"]) == ("Αρ. πρωτ. 1/2026", GREEK)
    assert headers["authorization"].startswith("vapid ")
    assert headers["topic"] == parcel().reference.replace("-", "")
    heard.answer = lambda: (410, b"gone")
    with pytest.raises(RefusedByCarrierError):
        Push(key, "mailto:it@example.gr", timeout=5).send(parcel(address=json.dumps(subscription)))


class MailServer:
    """A strict mail server: STARTTLS and a password first, then mail for example.gr alone."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context, self.letters, self.hang_up = context, list[bytes](), False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            await self.talk(reader, writer)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        secure = known = False
        writer.write(b"220 double\r\n")
        while line := (await reader.readline()).strip():
            verb = line.upper()
            if verb.startswith(b"EHLO"):
                writer.write(b"250-double\r\n250-SMTPUTF8\r\n250-8BITMIME\r\n" + (b"250 AUTH PLAIN\r\n" if secure else b"250 STARTTLS\r\n"))
            elif verb == b"STARTTLS":
                writer.write(b"220 go\r\n")
                await writer.drain()
                await writer.start_tls(self.context)
                secure = True
            elif verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                await writer.drain()
                break
            elif verb.startswith(b"AUTH PLAIN") and secure:
                known = base64.b64decode(line[11:]) == b"\0asty\0hush"
                writer.write(b"235 ok\r\n" if known else b"535 no\r\n")
            elif not known:
                writer.write(b"530 sign in first\r\n")
            elif verb.startswith(b"RCPT") and b"@EXAMPLE.GR" not in verb:
                writer.write(b"550 no such box\r\n")
            elif verb == b"DATA":
                writer.write(b"354 go\r\n")
                letter = await reader.readuntil(b"\r\n.\r\n")
                if self.hang_up:
                    break
                self.letters.append(letter)
                writer.write(b"250 taken\r\n")
            else:
                writer.write(b"250 ok\r\n")
            await writer.drain()


@contextmanager
def mail_server(loop: Loop, folder: Path) -> Iterator[tuple[MailServer, MailSettings, ssl.SSLContext]]:
    certificate, key = _certificate(folder)
    serving, trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=str(certificate))
    serving.load_cert_chain(certificate, key)
    it = MailServer(serving)
    server = loop.run(asyncio.start_server(it.serve, "127.0.0.1", 0))
    port = server.sockets[0].getsockname()[1]
    try:
        yield it, MailSettings("localhost", port, "no-reply@example.gr", "Δήμος Δοκιμής", "starttls", "asty", "hush"), trust
    finally:
        loop.loop.call_soon_threadsafe(server.close)


def test_a_letter_goes_out_encrypted_and_signed_in_or_says_why_not(loop: Loop, tmp_path: Path) -> None:
    with mail_server(loop, tmp_path) as (it, box, trust):
        Mail(box, trust=trust, timeout=5).send(parcel(address="maria@example.gr"))
        (letter,) = it.letters
        assert b"To: maria@example.gr" in letter
        assert f"Message-ID: <{parcel().reference}@example.gr>".encode() in letter
        with pytest.raises(RefusedByCarrierError, match="550"):
            Mail(box, trust=trust, timeout=5).send(parcel(address="maria@example.com"))
        with pytest.raises(NotSentError, match="account"):
            Mail(MailSettings(box.host, box.port, box.sender, "", "starttls", "asty", "bad"), trust=trust, timeout=5).send(
                parcel(address="maria@example.gr")
            )
        with pytest.raises(NotSentError, match="certificate"):
            Mail(box, timeout=5).send(parcel(address="maria@example.gr"))
        it.hang_up = True
        with pytest.raises(UnclearError):
            Mail(box, trust=trust, timeout=5).send(parcel(address="maria@example.gr"))
        assert len(it.letters) == 1


def test_the_console_takes_every_channel_and_codes_go_by_it() -> None:
    found = carriers.chosen(NoticeSettings())
    for channel in ("sms", "email", "push"):
        carrier: Carrier = found.by_channel[channel]
        assert isinstance(carrier, ConsoleCarrier)
        assert carrier.send(parcel()) == (f"console-{parcel().reference}",)
    found.send(Message("phone", "+306941234567", "", "123456"))
    with pytest.raises(NotSentError, match="no carrier"):
        carriers.chosen(NoticeSettings(console=False)).send(Message("phone", "+306941234567", "", "123456"))


def _b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    certificate, private = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )  # fmt: skip
    return certificate, private
