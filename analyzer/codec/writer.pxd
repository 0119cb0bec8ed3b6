from analyzer.codec.field_spec cimport FieldSpec

# Used for every field. In the compiled build these are C variables.
cdef int EXTENSIONS, FIXED, OPAQUE, SELECT, SIZED, STRUCT, UINT, VARINT


cpdef bytes write(object message)
cdef object write_structure(bytearray out, object message)
cdef object write_varint(bytearray out, object value)
cdef object write_value(bytearray out, FieldSpec spec, object value, object owner)
