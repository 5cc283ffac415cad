import unittest

from rooms.bookings import merge, used_minutes


class BookingsTest(unittest.TestCase):
    def test_apart(self):
        self.assertEqual(used_minutes([(0, 30), (60, 90)]), 60)

    def test_overlap(self):
        self.assertEqual(used_minutes([(0, 60), (30, 90)]), 90)

    def test_merge(self):
        self.assertEqual(merge([(50, 70), (0, 30), (30, 40)]), [(0, 40), (50, 70)])

    def test_odd_bookings(self):
        self.assertEqual(merge([(5, 5)]), [])
        self.assertRaises(ValueError, merge, [(9, 5)])


if __name__ == "__main__":
    unittest.main()
