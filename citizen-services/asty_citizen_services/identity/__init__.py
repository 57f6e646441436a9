"""Who is there: citizens by TaxisNet, staff by passkey or OpenID Connect, what they may do, and for whom they act."""
