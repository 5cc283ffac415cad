"""Bookings of meeting rooms: (start, end) in minutes, the end not included."""


def used_minutes(bookings):
    """How long the room is used."""
    return sum(end - start for start, end in bookings)
