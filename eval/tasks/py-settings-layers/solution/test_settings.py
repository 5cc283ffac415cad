import unittest

from settings import layered


class SettingsTest(unittest.TestCase):
    def test_later_wins(self):
        self.assertEqual(layered({"port": 80}, {"port": 8080}), {"port": 8080})

    def test_other_keys_stay(self):
        self.assertEqual(layered({"port": 80}, {"host": "a"}), {"port": 80, "host": "a"})

    def test_sections_are_merged(self):
        self.assertEqual(layered({"db": {"a": 1, "b": 2}}, {"db": {"b": 3}}), {"db": {"a": 1, "b": 3}})

    def test_none_removes(self):
        self.assertEqual(layered({"a": 1, "b": 2}, {"a": None}), {"b": 2})

    def test_layers_stay_as_they_are(self):
        defaults = {"db": {"a": 1}}
        layered(defaults, {"db": {"a": 2}})["db"]["c"] = 3
        self.assertEqual(defaults, {"db": {"a": 1}})


if __name__ == "__main__":
    unittest.main()
