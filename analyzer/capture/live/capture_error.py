"""The error of live capture."""


class CaptureError(Exception):
    """An interface cannot be captured. The text is one line: which interface, why, and what to do about it."""
