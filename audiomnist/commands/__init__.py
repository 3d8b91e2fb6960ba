"""The commands of `python -m audiomnist`, a module for each group of them.

Each module says in `add` which words and options it understands; what is done is
done by the package's other modules, which it calls.
"""
