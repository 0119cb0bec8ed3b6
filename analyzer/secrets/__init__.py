"""Turns secrets into plaintext or a typed error: key logs, private keys, key schedules, record protection."""
