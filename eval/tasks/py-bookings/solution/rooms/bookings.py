"""Bookings of meeting rooms: (start, end) in minutes, the end not included."""


def merge(bookings):
    """The times at which the room is used, without overlap, sorted. Raises ValueError for an end before its start."""
    merged = []
    for start, end in sorted(bookings):
        if end < start:
            raise ValueError(f"the booking ends at {end}, before it begins at {start}")
        if start == end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def used_minutes(bookings):
    """How long the room is used; time that bookings share counts once."""
    return sum(end - start for start, end in merge(bookings))
