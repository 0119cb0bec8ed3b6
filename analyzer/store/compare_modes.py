"""Names what two captures are compared as."""

PLACES, TIMES = "places", "times"
"""One traffic at two places, or two times."""
