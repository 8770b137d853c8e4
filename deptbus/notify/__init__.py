"""Tells people and systems of requests and escalations: through files and signed webhooks, at least once.

``message`` and ``wording`` decide what an event becomes, ``schedule`` when it is tried again, ``signing`` how it is
signed: pure. ``worker`` runs one channel, ``service`` all of them; ``files`` and ``webhook`` deliver.
"""
