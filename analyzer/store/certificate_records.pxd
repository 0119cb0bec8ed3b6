from analyzer.analysis.shown_certificates cimport shown_certificates
from analyzer.tls.session cimport Session

cdef int REMEMBERED, LARGEST_REMEMBERED, LISTED, NONE
cdef dict CERTIFICATES, CUT_CERTIFICATE

cpdef list certificates_record(Session session, int role)
cpdef dict chain_record(Session session, int role, object judge, str start)
cpdef dict certificate_record(bytes der)
