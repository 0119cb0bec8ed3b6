"""The kinds of rows that a field table is made of: `fields` writes them, `runner` walks them."""

UINT, FIXED, OPAQUE, VECTOR, STRUCT, SIZED, SELECT, EXTENSIONS, VARINT = range(9)
