"""The interface for programs: catalogue, drafts and filing, cases, documents, open data. Versioned by its address, /api/v1."""
