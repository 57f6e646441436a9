"""The broker's door: its generated configuration, who may read and write what, and the certificates that it needs."""
