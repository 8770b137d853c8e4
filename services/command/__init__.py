"""Command post (应急指挥部)."""
