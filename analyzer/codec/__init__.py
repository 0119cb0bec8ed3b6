"""The cursor over hostile bytes, field tables and their runner, the registries, and the words for trouble."""
