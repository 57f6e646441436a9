"""`asty-edge enrol` and `asty-edge renew`."""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from asty_contracts.enrolment import EnrolmentAnswer
from cryptography.hazmat.primitives import serialization

from asty_edge.config import Config
from asty_edge.enrolment import exchange
from asty_edge.enrolment.exchange import AddressError, RefusedError, UnreachableError
from asty_edge.enrolment.identity import Identity, IdentityError, fingerprint_of, is_due
from asty_edge.enrolment.request import AnswerError, ClaimFileError, Signer, body, check, read_claim

DONE, FAILED, WRONG = 0, 1, 2
POLL_S = 5.0


def enrol(config: Config, options: argparse.Namespace) -> int:
    """Ask with a claim, show the fingerprint, wait for the officer, and put the certificate beside the configuration."""
    return _told(lambda: _enrol(config, Path(options.claim), options.url.rstrip("/")))


def renew(config: Config, options: argparse.Namespace) -> int:
    """Exchange the certificate in force for a new one with a new key; with --due only when a third of its life or less is left."""
    return _told(lambda: _renew(config, options.url, only_if_due=options.due))


def _enrol(config: Config, claim: Path, url: str) -> int:
    identity, edge = Identity.of(config), config.edge
    exchange.check_address(url)
    try:
        signer = read_claim(claim.read_text(), edge.id)
    except (OSError, ClaimFileError, UnicodeDecodeError) as error:
        raise ClaimFileError(f"{claim}: {error}") from error
    key = identity.waiting_key()
    _say(f"edge {edge.id} of {edge.org}, fingerprint\n\n    {fingerprint_of(key.public_key())}\n")
    _say("The officer must see the same on the page «Εγγραφή συσκευών», or with `asty enrol list`, before approving.")
    answer = _until_approved(url, body(key, edge.id, edge.org, signer), signer.ca)
    identity.install(check(answer, key, edge.id, signer.ca), signer.ca, url)
    _say(f"enrolled: {identity.cert}, {identity.key} and {identity.ca} are in place. The claim is spent: delete {claim}.")
    if config.uplink.tls is None or config.uplink.tls.cert is None:
        lines = (f'ca = "{identity.ca}"', f'cert = "{identity.cert}"', f'key = "{identity.key}"')
        _say("\n".join((f"Tell the agent of them in {config.file}:\n", "[uplink.tls]", *lines)))
    return DONE


def _until_approved(url: str, request: bytes, ca: str) -> EnrolmentAnswer:
    last = ""
    while True:
        try:
            answer = exchange.post(url, request, ca)
            now = "waiting for approval"
        except UnreachableError as error:
            answer, now = None, f"{error}; asking again"
        if answer is not None and answer.state == "approved":
            return answer
        if now != last:
            _say(now)
            last = now
        time.sleep(POLL_S)


def _renew(config: Config, url: str | None, *, only_if_due: bool) -> int:
    identity, edge = Identity.of(config), config.edge
    identity.settle()
    cert, held = identity.held()
    if only_if_due and not is_due(cert, datetime.now(UTC)):
        return DONE
    if url is None:
        url = identity.address()
    ca = identity.ca.read_text()
    signer = Signer(cert.public_bytes(serialization.Encoding.PEM).decode(), held, ca)
    key = identity.waiting_key()
    answer = exchange.post(url.rstrip("/"), body(key, edge.id, edge.org, signer), ca)
    identity.install(check(answer, key, edge.id, ca), ca, url.rstrip("/"))
    new, _ = identity.held()
    _say(f"the certificate of {edge.id} is renewed until {new.not_valid_after_utc:%Y-%m-%d}; the uplink takes it at its next connection")
    return DONE


def _told(act: Callable[[], int]) -> int:
    try:
        return act()
    except KeyboardInterrupt:
        _complain("broken off; the request stays with the town and the key here: run the same command again")
    except UnreachableError as error:
        _complain(f"{error}; nothing was changed, run it again later")
    except OSError as error:
        _complain(f"{error.filename}: {error.strerror}; make room or give this user the right to write there, then run it again")
    except (AddressError, AnswerError, ClaimFileError, IdentityError, RefusedError) as error:
        _complain(f"{error}; the files in force are as they were")
        return WRONG
    return FAILED


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _complain(line: str) -> None:
    sys.stderr.write(f"asty-edge: {line}\n")
