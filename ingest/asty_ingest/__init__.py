"""MQTT to Kafka: verifies, refuses with a reason, acknowledges only what Kafka has."""
