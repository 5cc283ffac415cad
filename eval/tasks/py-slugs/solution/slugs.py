"""Addresses of articles."""

import re
import unicodedata


def slug(title):
    """The title as a part of an address: ASCII letters and digits, joined by single dashes."""
    plain = unicodedata.normalize("NFKD", title.lower())
    ascii_only = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-") or "untitled"


def unique_slug(title, taken):
    """The slug of the title, numbered from 2 on when it is among those that are taken."""
    wanted = slug(title)
    result, number = wanted, 1
    while result in taken:
        number += 1
        result = f"{wanted}-{number}"
    return result
