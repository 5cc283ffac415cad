import unittest

from slugs import slug, unique_slug


class SlugTest(unittest.TestCase):
    def test_words(self):
        self.assertEqual(slug("Hello World"), "hello-world")

    def test_digits(self):
        self.assertEqual(slug("Top 10"), "top-10")

    def test_accents(self):
        self.assertEqual(slug("Über uns"), "uber-uns")
        self.assertEqual(slug("Crème brûlée"), "creme-brulee")

    def test_dashes(self):
        self.assertEqual(slug("C++ & Rust"), "c-rust")
        self.assertEqual(slug("?!"), "untitled")

    def test_unique(self):
        self.assertEqual(unique_slug("Hello", {"hello", "hello-2"}), "hello-3")


if __name__ == "__main__":
    unittest.main()
