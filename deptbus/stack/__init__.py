"""Broker and registry: started, stopped and looked after where this machine runs them, else only reached.

``local`` runs them as processes, ``compose`` as containers, ``external`` is a cluster that others run.
"""
