"""The register: vehicles, bins, places and the town's map. Schema `fleet`."""
