"""Other ways to bring packs from MQTT into PostgreSQL, each in a folder: `peer.toml` says what it is, what installs it, how it runs."""
