"""Addresses of articles."""

import re


def slug(title):
    """The title as a part of an address."""
    plain = title.lower().replace("ü", "u").replace("è", "e").replace("û", "u").replace("é", "e")
    return re.sub(r"[^a-z0-9]+", "-", plain)


def unique_slug(title, taken):
    """The slug, with -2 when it is taken."""
    wanted = slug(title)
    return f"{wanted}-2" if wanted in taken else wanted
