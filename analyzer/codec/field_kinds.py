"""The kinds of rows that a field table is made of: `fields` writes them, `runner` and `writer` walk them."""

UINT, FIXED, OPAQUE, VECTOR, STRUCT, SIZED, SELECT, EXTENSIONS, VARINT = range(9)
