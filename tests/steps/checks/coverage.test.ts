/** Coverage of the lines that a change added. */
import { describe, expect, it } from "vitest";
import type { ChangedFile } from "../../../src/steps/change/patch.ts";
import { coverageOfChange, readCoverage } from "../../../src/steps/checks/coverage.ts";

const lcov = [
  ...["TN:", "SF:src/a.js", "FN:1,f", "DA:1,3", "DA:2,0", "DA:3,0", "DA:5,1", "DA:9,0", "LF:5", "end_of_record"],
  ...["SF:/workspace/packages/b/src/b.js", "DA:1,1", "end_of_record", ""],
].join("\n");
const cobertura = `<?xml version="1.0"?>
<coverage line-rate="0.5"><sources><source>/workspace/src</source></sources><packages><package name="p"><classes>
  <class name="a" filename="a.js"><methods><method name="f"><lines><line number="1" hits="9"/></lines></method></methods>
    <lines><line number="1" hits="3"/><line number="2" hits="0"/><line number="3" hits="0"/><line number="5" hits="1"/><line number="9" hits="0"/></lines></class>
</classes></package></packages></coverage>`;

function file(path: string, ...lines: number[]): ChangedFile {
  const added = lines.map((number) => ({ number, text: "x" }));
  const modes = { oldMode: "100644", newMode: "100644" };
  return { path, oldPath: path, kind: "modified", ...modes, binary: false, added, removed: [], text: "" };
}

describe.each([
  ["lcov", lcov],
  ["Cobertura", cobertura],
])("%s", (_name, report) => {
  it("counts changed lines that can be executed, and names those that were not", () => {
    const coverage = readCoverage(report);
    expect(coverage).not.toBeNull();
    expect(coverageOfChange([file("src/a.js", 1, 2, 3, 4, 9), file("README.md", 1)], coverage!)).toEqual({
      covered: 1,
      total: 4,
      missing: ["src/a.js:2-3,9"],
    });
  });
  it("says nothing about tests and files that it does not know", () => {
    expect(coverageOfChange([file("test/a.test.js", 1), file("src/z.js", 1)], readCoverage(report)!)).toBeNull();
  });
});

it("files may be named by absolute path", () => {
  const found = coverageOfChange([file("packages/b/src/b.js", 1)], readCoverage(lcov)!);
  expect(found).toEqual({ covered: 1, total: 1, missing: [] });
});

it.each(["", "hello", "<coverage>", "<html/>", '{"lines": 3}'])("%j is no report", (text) => {
  expect(readCoverage(text)).toBeNull();
});
