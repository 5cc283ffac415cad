import copy
import unittest

from settings import layered


class HiddenTest(unittest.TestCase):
    def test_sections(self):
        defaults = {"db": {"host": "a", "pool": {"min": 1, "max": 5}}, "port": 80}
        self.assertEqual(
            layered(defaults, {"db": {"pool": {"max": 9}}}, {"port": 81}),
            {"db": {"host": "a", "pool": {"min": 1, "max": 9}}, "port": 81},
        )

    def test_replacing(self):
        self.assertEqual(layered({"a": [1, 2], "b": {"x": 1}}, {"a": [3], "b": 7}), {"a": [3], "b": 7})
        self.assertEqual(layered({"b": 7}, {"b": {"x": 1}}), {"b": {"x": 1}})

    def test_removing(self):
        self.assertEqual(layered({"a": 1, "b": {"x": 1, "y": 2}}, {"a": None, "b": {"x": None}}), {"b": {"y": 2}})
        self.assertEqual(layered({"a": 1}, {"a": None}, {"a": 2}), {"a": 2})

    def test_layers_stay(self):
        layers = [{"b": {"x": 1}, "l": [1]}, {"b": {"y": 2}}, {"b": {"x": None}}]
        before = copy.deepcopy(layers)
        result = layered(*layers)
        result["b"]["z"] = 3
        result["l"].append(2)
        self.assertEqual(layers, before)

    def test_few_layers(self):
        self.assertEqual(layered(), {})
        only = {"b": {"x": [1]}}
        result = layered(only)
        result["b"]["x"].append(2)
        self.assertEqual(only, {"b": {"x": [1]}})
