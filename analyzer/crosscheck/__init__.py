"""The second opinion: the same capture through tshark, which pyshark drives, compared with our own records field by field."""
