"""QUIC: empty; the README says what will be here."""
