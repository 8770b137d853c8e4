"""Alerts of other systems: the Common Alerting Protocol, CAP 1.1 and 1.2 (OASIS), and the warning numbers of 12379.

``files`` finds files and reads each by itself; ``xml`` parses safely; ``structure`` holds the tree to the tables in
``elements`` with the readers of ``values`` and the conditions of ``conditions``; ``facts`` makes the event's data.
Whatever the standard's schema refuses is refused here too, with line and reason.
"""
