"""The way to the town: a machine that decides what to send when, and a shell over MQTT that waits."""
