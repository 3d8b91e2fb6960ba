"""Measures what the documentation claims: speed, memory, accuracy, on this machine.

Each module here measures one thing and gives plain numbers; `report` writes them
with machine and versions beside them and makes the documentation's tables of them, and
`summary` draws the README's small table from several of them.
"""
