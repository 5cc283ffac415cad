/** Ends a test run with one line that programs can read: `N passed, N failed, N skipped`. Skipped tests are named before it. */
import type { Reporter, TestModule } from "vitest/node";

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandled.length, skipped: 0 };
    const skipped = new Map<string, number>();
    for (const module of modules) {
      // A file that cannot even be loaded has no tests, but it has failed.
      if (module.state() === "failed" && [...module.children.allTests()].length === 0) counts.failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") counts.passed += 1;
        else if (state === "failed") counts.failed += 1;
        else if (state === "skipped") {
          counts.skipped += 1;
          const name = test.fullName.split(" > ")[0] ?? test.name;
          skipped.set(name, (skipped.get(name) ?? 0) + 1);
        }
      }
    }
    for (const [name, times] of skipped) console.log(`skipped: ${name} (${times})`);
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}
