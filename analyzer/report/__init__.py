"""The forensic report: the facts of a run, the document that tells them, and its forms."""
