"""Validates this installation: runs the method on material with known answers, and writes what was asked, run and seen."""
