"""What a session says about its makers, and a capture about its traffic: fingerprints, counts, findings."""
