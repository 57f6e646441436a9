"""How an edge gets its certificate and loses it: claim, request, approval, renewal, revocation."""
