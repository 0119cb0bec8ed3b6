from analyzer.codec.field_spec cimport Extension

cdef int PRE_SHARED_KEY, SERVER_NAME, _PADDING

cpdef object content_breaches(object hello)
