import unittest

from settings import layered


class SettingsTest(unittest.TestCase):
    def test_later_wins(self):
        self.assertEqual(layered({"port": 80}, {"port": 8080}), {"port": 8080})

    def test_other_keys_stay(self):
        self.assertEqual(layered({"port": 80}, {"host": "a"}), {"port": 80, "host": "a"})


if __name__ == "__main__":
    unittest.main()
