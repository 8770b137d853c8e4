"""Activations of response levels as alerts of the Common Alerting Protocol (CAP 1.2).

``activation`` says what is alerted, ``write`` how it is written; what comes out is what ``imports.cap`` reads.
"""
