"""The one face of all pages: templates, tokens, terms, formats, the map. Knows nothing of what a page shows."""
