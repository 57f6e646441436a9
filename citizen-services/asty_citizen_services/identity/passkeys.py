"""Passkeys of staff by WebAuthn: bound to our own domain, and always with the holder's PIN or fingerprint."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import webauthn
from sqlalchemy import select
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from asty_citizen_services.audit import journal
from asty_citizen_services.identity.models import Passkey, Staff


class PasskeyRefusedError(Exception):
    """The authenticator's answer proves nothing: another site's, another challenge's, an unknown key's. Nobody was signed in."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Us, as authenticators know us: the domain that passkeys are bound to, our name, our origin (scheme and host)."""

    domain: str
    name: str
    origin: str


def registration(session: Session, party: RelyingParty, staff: uuid.UUID) -> tuple[str, str]:
    """Return the options for the browser, as JSON, and the challenge to keep."""
    it = session.get_one(Staff, staff)
    known = session.scalars(select(Passkey.id).where(Passkey.staff_id == staff))
    options = webauthn.generate_registration_options(
        rp_id=party.domain,
        rp_name=party.name,
        user_id=staff.bytes,
        user_name=it.username,
        user_display_name=it.name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
    )
    return webauthn.options_to_json(options), bytes_to_base64url(options.challenge)


def register(
    session: Session, party: RelyingParty, staff: uuid.UUID, challenge: str, answer: dict[str, Any], *, name: str, now: datetime
) -> None:
    """Keep the passkey that the browser made. Raises PasskeyRefusedError."""
    try:
        made = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=party.domain,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        raise PasskeyRefusedError(str(error)) from error
    session.add(
        Passkey(
            id=made.credential_id, staff_id=staff, public_key=made.credential_public_key, sign_count=made.sign_count, name=name,
            made_at=now, used_at=None,
        )
    )  # fmt: skip
    session.flush()
    journal.write(
        session, f"staff:{staff}", at=now, actor=f"staff:{staff}", act="identity.register_passkey", device=made.credential_device_type
    )


def authentication(party: RelyingParty) -> tuple[str, str]:
    """Return the options for the browser, as JSON, and the challenge to keep. The authenticator itself knows whose key it holds."""
    options = webauthn.generate_authentication_options(rp_id=party.domain, user_verification=UserVerificationRequirement.REQUIRED)
    return webauthn.options_to_json(options), bytes_to_base64url(options.challenge)


def authenticate(session: Session, party: RelyingParty, challenge: str, answer: dict[str, Any], now: datetime) -> uuid.UUID:
    """Return the account whose passkey signed the challenge. Raises PasskeyRefusedError."""
    try:
        key_id = base64url_to_bytes(answer["rawId"])
        key = session.scalars(select(Passkey).where(Passkey.id == key_id).with_for_update()).one_or_none()
        if key is None:
            raise PasskeyRefusedError("the passkey is not registered here")
        proof = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=party.domain,
            expected_origin=party.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        raise PasskeyRefusedError(str(error)) from error
    if session.get_one(Staff, key.staff_id).ended_at is not None:
        raise PasskeyRefusedError("the account is shut")
    key.sign_count, key.used_at = proof.new_sign_count, now
    journal.write(session, f"staff:{key.staff_id}", at=now, actor=f"staff:{key.staff_id}", act="identity.sign_in", by="passkey")
    return key.staff_id
