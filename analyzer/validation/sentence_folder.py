"""Where the sentences of the pack are: a catalogue like that of the report, beside which it is read."""

import os

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sentences")
