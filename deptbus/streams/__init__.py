"""The stream processors, ``correlate`` and ``advance``: Faust carries consumption, assignment and agents, and
holds no state. The only package that imports Faust (and aiokafka, which comes with it).
"""
