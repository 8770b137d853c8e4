"""One module for what is measured together: its ``BOUNDS``, and ``measure``. They are found, not listed."""
