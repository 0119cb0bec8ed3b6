"""Certificates as they were sent, read from the bytes."""
