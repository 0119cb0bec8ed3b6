cdef class StreamSink:
    cpdef void feed_stream(self, long long stream, int role, bytes data, bint end, long long frame, long long at) except *
