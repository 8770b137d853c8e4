"""What changes, sent to every page that is open: server-sent events."""
