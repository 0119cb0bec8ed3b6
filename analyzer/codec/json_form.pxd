from analyzer.codec.field_spec cimport FieldSpec

# Used for every field. In the compiled build these are C variables.
cdef int EXTENSIONS, FIXED, OPAQUE, SELECT, SIZED, STRUCT, UINT, VARINT

cpdef dict json_value(object message)
cpdef object json_field(FieldSpec spec, object value, object owner)
cpdef object named(FieldSpec spec, object value)
