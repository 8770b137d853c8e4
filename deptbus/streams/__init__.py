"""The stream processors, ``correlate`` and ``advance``: Faust carries records to agents and shares partitions out among
them, and holds no state. The only package that imports Faust.
"""
