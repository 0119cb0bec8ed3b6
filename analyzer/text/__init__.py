"""Text for people, which the terminal and the report share: escaped text of captures, sizes and times, facts of messages."""
