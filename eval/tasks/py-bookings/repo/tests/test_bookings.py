import unittest

from rooms.bookings import used_minutes


class BookingsTest(unittest.TestCase):
    def test_apart(self):
        self.assertEqual(used_minutes([(0, 30), (60, 90)]), 60)

    def test_overlap(self):
        self.assertEqual(used_minutes([(0, 60), (30, 90)]), 90)


if __name__ == "__main__":
    unittest.main()
