"""What programs read: JSON and GeoJSON below /api, /health, /metrics, /live/events."""
