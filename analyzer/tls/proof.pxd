cpdef str compare(bytes raw, bytes expected)
