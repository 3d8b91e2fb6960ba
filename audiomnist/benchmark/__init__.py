"""Measures what the README claims: speed, memory and accuracy, on this machine.

Each module here measures one thing and gives plain numbers; `report` writes them
with machine and versions beside them, and makes the README's tables of them.
"""
