import unittest

from rooms.bookings import merge, used_minutes


class HiddenTest(unittest.TestCase):
    def test_merge(self):
        self.assertEqual([tuple(b) for b in merge([(50, 70), (0, 30), (20, 40)])], [(0, 40), (50, 70)])

    def test_touching_and_nested(self):
        self.assertEqual([tuple(b) for b in merge([(0, 30), (30, 60), (10, 20)])], [(0, 60)])

    def test_argument_is_left_alone(self):
        given = [(20, 40), (0, 30)]
        merge(given)
        self.assertEqual(given, [(20, 40), (0, 30)])

    def test_used(self):
        self.assertEqual(used_minutes([(0, 60), (30, 90), (30, 60), (100, 110)]), 100)
        self.assertEqual(used_minutes([]), 0)

    def test_odd_bookings(self):
        self.assertEqual(merge([(5, 5)]), [])
        self.assertRaises(ValueError, merge, [(9, 5)])
        self.assertRaises(ValueError, used_minutes, [(0, 10), (9, 5)])
