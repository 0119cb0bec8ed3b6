"""The kinds of field specs in a field table. `field_tables` declares them; `runner`, `writer` and `json_form` use them."""

UINT, FIXED, OPAQUE, VECTOR, STRUCT, SIZED, SELECT, EXTENSIONS, VARINT = range(9)
