"""Field tables, the runner that reads untrusted bytes by them, the number registries, and the parse errors."""
