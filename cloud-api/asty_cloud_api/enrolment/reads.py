"""Every edge that was ever claimed, and how its enrolment stands now."""

from asty_cloud_api.reads.listing import Choice, Column, Listing

STATES = {
    "waiting": "Waits for approval",
    "claimed": "Claim not used yet",
    "valid": "In force",
    "expiring": "Should have renewed",
    "expired": "Expired",
    "refused": "Turned away",
    "unused": "Claim ran out unused",
    "revoked": "Revoked",
}
SIGNS = {
    "waiting": "warn",
    "claimed": "calm",
    "valid": "good",
    "expiring": "warn",
    "expired": "bad",
    "refused": "off",
    "unused": "off",
    "revoked": "bad",
}

# The newest of each counts. An edge renews itself when a third of the life is left: one with less than a quarter has failed to.
_SOURCE = """
SELECT e.edge, coalesce(v.name, e.edge) AS vehicle, s.state,
       CASE WHEN s.state IN ('waiting', 'refused') THEN r.fingerprint ELSE c.fingerprint END AS fingerprint,
       CASE WHEN s.state = 'waiting' THEN r.id END AS request,
       r.asked_at, r.asked_from, k.made_at, k.made_by, k.expires_at,
       CASE WHEN s.state IN ('valid', 'expiring', 'expired', 'revoked') THEN c.issued_at END AS issued_at,
       CASE WHEN s.state IN ('valid', 'expiring', 'expired', 'revoked') THEN c.not_after END AS not_after,
       CASE s.state WHEN 'waiting' THEN NULL WHEN 'revoked' THEN c.revoked_by ELSE r.decided_by END AS decided_by,
       CASE s.state WHEN 'revoked' THEN c.why WHEN 'refused' THEN r.why END AS why
FROM (SELECT DISTINCT edge FROM fleet.enrolment_claim) AS e
JOIN LATERAL (SELECT * FROM fleet.enrolment_claim WHERE edge = e.edge ORDER BY made_at DESC, serial LIMIT 1) AS k ON true
LEFT JOIN LATERAL (SELECT * FROM fleet.enrolment_request WHERE edge = e.edge ORDER BY asked_at DESC, id LIMIT 1) AS r ON true
LEFT JOIN LATERAL (SELECT * FROM fleet.edge_certificate WHERE edge = e.edge ORDER BY issued_at DESC, serial LIMIT 1) AS c ON true
LEFT JOIN fleet.vehicle AS v ON v.edge = e.edge
CROSS JOIN LATERAL (SELECT CASE
    WHEN r.state = 'waiting' THEN 'waiting'
    WHEN k.withdrawn_at IS NULL AND k.expires_at > CAST(:now AS timestamptz) AND r.claim IS DISTINCT FROM k.serial
         AND (c.serial IS NULL OR c.revoked_at IS NOT NULL OR c.not_after <= CAST(:now AS timestamptz)) THEN 'claimed'
    WHEN r.state = 'refused' AND (c.serial IS NULL OR c.revoked_at IS NOT NULL AND r.decided_at > c.revoked_at) THEN 'refused'
    WHEN c.serial IS NULL THEN 'unused'
    WHEN c.revoked_at IS NOT NULL THEN 'revoked'
    WHEN c.not_after <= CAST(:now AS timestamptz) THEN 'expired'
    WHEN c.not_after - CAST(:now AS timestamptz) < (c.not_after - c.not_before) / 4 THEN 'expiring'
    ELSE 'valid' END AS state) AS s
"""

DEVICES = Listing(
    name="enrolment",
    title="Enrolment of devices",
    source=_SOURCE,
    columns=(
        Column("vehicle", "Vehicle"),
        Column("edge", "Identity", "code"),
        Column("state", "State", "state", STATES),
        Column("fingerprint", "Fingerprint", "code"),
        Column("issued_at", "Issued", "moment"),
        Column("not_after", "Valid until", "moment"),
        Column("decided_by", "Decided by"),
        Column("why", "Reason"),
        Column("asked_at", "Asked", "moment", shown=False),
        Column("asked_from", "Asked from", "code", shown=False),
        Column("made_by", "Claim made by", shown=False),
    ),
    search=("vehicle", "edge", "coalesce(fingerprint, '')"),
    filters=(Choice("state", "State", {value: (term, f"state = '{value}'") for value, term in STATES.items()}),),
    sort="vehicle",
    descending=False,
    order="edge",
    empty="No device fits. Make a claim to let the first one ask: asty enrol claim --edge ID",
)
