cimport cython

from analyzer.capture.frame cimport Frame
from analyzer.capture.frame_reader cimport FrameReader
from analyzer.engine.engine cimport Engine
from analyzer.packet.layer_places cimport LayerPlaces
from analyzer.packet.packet cimport Packet


@cython.locals(frame=Frame, packet=Packet, told=cython.bint)
cpdef bint next_told(Engine engine, FrameReader reader, LayerPlaces layers, object defragmenter) except -1
