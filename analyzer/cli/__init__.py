"""All talk with people on the command line; thin: what it shows comes from the rooms above."""
