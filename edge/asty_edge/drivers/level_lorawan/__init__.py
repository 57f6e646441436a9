"""Fill levels of bins: ultrasonic LoRaWAN sensors, heard by the packet forwarder of a street gateway."""
