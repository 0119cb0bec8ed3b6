from analyzer.flows.connection cimport Connection
from analyzer.flows.ending cimport Ending
from analyzer.flows.flow cimport Flow


cpdef void note_end(Flow flow, Connection connection, int client) except *
