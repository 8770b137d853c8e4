"""What operations do with a running bus: find, follow, replay, repair, keep and look after its events."""
