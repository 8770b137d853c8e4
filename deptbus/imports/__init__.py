"""Real input: files of others, read into events of the departments that are their source."""
