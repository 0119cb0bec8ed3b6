"""Sessions as records: the keys that other programs read, and their JSON Schema."""
