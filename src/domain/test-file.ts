/** Which files of a repository are tests, by their path alone: the convention of each language's test runner. */

/** Directories that hold tests and what tests need. `src/test/java` and the like are covered by `test`. */
const testDirectories = new Set([
  ...["test", "tests", "__tests__", "spec", "specs", "e2e", "testdata", "__snapshots__", "__mocks__", "cypress"],
  ...["androidtest", "integrationtest", "integration-tests", "unit-tests"],
]);

/** Names of test files, by language: JavaScript, Go, Python, Ruby, Elixir, Rust, Dart, C/C++, JVM, .NET, PHP, Swift. */
const testNames: readonly RegExp[] = [
  /\.(?:test|spec|e2e|cy)\.[cm]?[jt]sx?$/i,
  /_test\.(?:go|py|rb|exs?|rs|dart|cc|cpp|c)$/,
  /^test_[^/]*\.(?:py|rb|c|cc|cpp)$/,
  /_spec\.rb$/,
  /(?:Test|Tests|TestCase|IT|Spec)\.(?:java|kt|kts|scala|groovy|cs|fs|php|swift)$/,
  /\.snap$|\.ambr$/,
];

/** Files that decide which tests run and how. They are not tests: nobody may change them to get a green result. */
const configurationNames =
  /^(?:conftest\.py|pytest\.ini|tox\.ini|noxfile\.py|\.coveragerc|phpunit\.xml(?:\.dist)?|\.rspec|\.mocharc\.\w+|\.taprc|\.nycrc(?:\.\w+)?|karma\.conf\.\w+|(?:vitest|jest|playwright|cypress|ava|wdio|bun)[\w.-]*\.(?:config|setup|workspace)\.\w+|(?:ava|nyc)\.config\.\w+|\.?c8rc(?:\.\w+)?|nextest\.toml|bunfig\.toml)$/i;

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Whether a file decides which tests run and how, e.g. `vitest.config.ts` or `conftest.py`. */
export function isTestConfiguration(path: string): boolean {
  return configurationNames.test(nameOf(path));
}

/** Whether a file is a test or belongs to tests (fixtures, snapshots), e.g. `src/cart.test.ts` or `tests/data/cart.json`. */
export function isTestFile(path: string): boolean {
  if (isTestConfiguration(path)) return false;
  const name = nameOf(path);
  if (testNames.some((pattern) => pattern.test(name))) return true;
  return path
    .split("/")
    .slice(0, -1)
    .some((part) => testDirectories.has(part.toLowerCase()));
}

/** Whether a file holds recorded results that tests are compared with. */
export function isSnapshot(path: string): boolean {
  return (
    /\.(?:snap|ambr|golden|approved\.\w+|verified\.\w+)$/i.test(path) ||
    /(?:^|\/)(?:__snapshots__|__image_snapshots__|goldens?)\//i.test(path)
  );
}
