import unittest

from slugs import slug


class SlugTest(unittest.TestCase):
    def test_words(self):
        self.assertEqual(slug("Hello World"), "hello-world")

    def test_digits(self):
        self.assertEqual(slug("Top 10"), "top-10")


if __name__ == "__main__":
    unittest.main()
