"""The exit status of commands. Those with more than these say so in their help."""

DONE, DAMAGED, FAILED = 0, 1, 2
"""Everything was read; a capture is damaged or truncated; nothing could be done."""
