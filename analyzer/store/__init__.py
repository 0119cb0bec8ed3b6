"""Makes records of sessions for other programs, declares their keys as JSON Schema, and writes exported files."""
