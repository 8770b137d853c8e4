"""The departments, a folder each, and the workflows between them."""
