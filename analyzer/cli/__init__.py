"""The command line: reads options, runs commands, and formats the results of the other packages."""
