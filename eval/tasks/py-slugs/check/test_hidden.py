import unittest

from slugs import slug, unique_slug


class HiddenTest(unittest.TestCase):
    def test_words(self):
        self.assertEqual(slug("Hello World"), "hello-world")
        self.assertEqual(slug("Top 10"), "top-10")

    def test_accents(self):
        self.assertEqual(slug("Über uns"), "uber-uns")
        self.assertEqual(slug("Crème brûlée"), "creme-brulee")
        self.assertEqual(slug("Año Nuevo"), "ano-nuevo")

    def test_dashes(self):
        self.assertEqual(slug("C++ & Rust"), "c-rust")
        self.assertEqual(slug("  -- what?! "), "what")

    def test_nothing_left(self):
        self.assertEqual(slug("???"), "untitled")
        self.assertEqual(slug(""), "untitled")

    def test_unique(self):
        self.assertEqual(unique_slug("Hello", set()), "hello")
        self.assertEqual(unique_slug("Hello", {"hello"}), "hello-2")
        self.assertEqual(unique_slug("Hello!", {"hello", "hello-2", "hello-4"}), "hello-3")
        taken = {"untitled"}
        self.assertEqual(unique_slug("?", taken), "untitled-2")
        self.assertEqual(taken, {"untitled"})
