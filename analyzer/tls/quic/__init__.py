"""QUIC: what will stand here says the README."""
