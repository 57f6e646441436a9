"""The servers of the embedded default: PostgreSQL, an MQTT broker, a Kafka broker. Each room makes one `Program`."""
