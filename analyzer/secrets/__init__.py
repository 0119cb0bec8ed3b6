"""Secrets in, plaintext or a typed refusal out: key logs, private keys, the key schedules, and record protection."""
