"""The whole workflow path, measured: what is published, where it goes, what must come of it."""
