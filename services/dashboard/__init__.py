"""The incident dashboard: what a command post looks at, and where officers and commanders act.

``projection`` follows the bus into a database that may be deleted at any time; ``views`` make of it what a page shows;
``live`` sends what changes; ``access`` says who may see and do what; ``web`` is the HTTP side of all this, ``page`` the
browser's.
"""
