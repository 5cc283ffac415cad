"""Addresses of articles."""

import re


def slug(title):
    """The title as a part of an address."""
    return re.sub(r"[^a-z0-9]", "-", title.lower().replace("ü", ""))
