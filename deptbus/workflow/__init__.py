"""Workflows: definitions and packs, correlation, the pure ``advance``, and the fold over a journal partition.

Everything here is pure: no clock, no randomness, no broker, no files except in ``load``.
"""
