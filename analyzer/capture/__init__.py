"""Capture files in and out: bytes to frames."""
