"""Reads capture files as frames, and writes capture files."""
