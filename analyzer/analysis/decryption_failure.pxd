from analyzer.tls.session cimport Session

cpdef str reason_of(Session session, bint known)
cpdef str evidence(Session session, str reason)
cpdef str advice(Session session, str reason)
