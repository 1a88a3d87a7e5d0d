"""How operating systems decide whether they are behind a portal, as pure functions over what they see.

One module a family. ``look`` makes the requests and hands what it saw to ``decide``. The rules are those of the
clients' own code and documents, in our words; what is not known of a closed system is left out rather than guessed.
"""
