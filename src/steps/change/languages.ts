/** How tests are written, language by language, as data: where a test case begins, what skips it, what in it can fail. */
import { curlySyntax, javascriptSyntax, pythonSyntax, rubySyntax, type Syntax } from "./source-text.ts";

export interface TestLanguage {
  readonly files: RegExp;
  readonly syntax: Syntax;
  /**
   * Beginning of a test case in masked text; the group `name` or the first text after it names it. Absent: files are compared as a
   * whole. `extent` says how far the case reaches: its call's bracket, its block's bracket, its indentation, or an `end` line.
   */
  readonly testCase?: { readonly start: RegExp; readonly extent: "call" | "block" | "indent" | "end" };
  /** Lines before a case that belong to it: decorators and attributes. */
  readonly attribute?: RegExp;
  /** In a case or its attributes: it does not run, or may fail. */
  readonly skips: RegExp;
  /** Anywhere in a file: a group of tests does not run. */
  readonly groupSkips?: RegExp;
  /** Everything that can make a test fail, and the part of it that says little. */
  readonly assertions: RegExp;
  readonly loose: RegExp;
  /** A comparison of whole values: one of these can stand for several others. */
  readonly deep: RegExp;
}

const javascript: TestLanguage = {
  files: /\.[cm]?[jt]sx?$/,
  syntax: javascriptSyntax,
  testCase: {
    start:
      /(?<![\w$.])(?:(?:Deno|t|tap)\.test|x?it|fit|x?test|specify|xspecify)(?:\.(?!each\b|for\b)\w+)*(?:\.(?:each|for))?(?=\s*[(`])/g,
    extent: "call",
  },
  skips:
    /^(?:x\w+)\b|^[\w.]*\.(?:skip|todo|fixme|fails|failing|skipIf|runIf)\b|\b(?:skip|todo)\s*:\s*(?!false\b)\S|\b(?:t|this|ctx|context|test)\.(?:skip|todo)\s*\(/,
  groupSkips:
    /(?<![\w$.])(?:xdescribe|xcontext|(?:describe|suite|context)(?:\.\w+)*\.(?:skip|todo|fixme|skipIf|runIf))\b/g,
  assertions:
    /\.to[A-Z]\w*\s*\(|\bassert(?:\.\w+)*\s*\(|\bt\.(?:is|not|deepEqual|deepEquals|equal|equals|notEqual|same|strictSame|ok|notOk|true|false|truthy|falsy|throws|throwsAsync|rejects|resolves|like|match|regex|snapshot|fail)\s*\(|\.to(?:\.\w+)+|\.should\b|\bfail\s*\(/g,
  loose:
    /\.(?:toBeTruthy|toBeDefined|toBeFalsy|toBeUndefined|toBeInstanceOf|toHaveProperty|toBeTypeOf|toBeGreaterThan\w*|toBeLessThan\w*)\s*\(|\.not\.to(?:Throw|BeNull|BeUndefined|BeNaN)\w*\s*\(|\bassert(?:\.(?:ok|doesNotThrow|doesNotReject|isDefined|exists|isOk))?\s*\(|\bt\.(?:ok|truthy|notOk|falsy)\s*\(|\.to\.(?:exist|be\.ok|be\.an?)\b/g,
  deep: /\.to(?:Strict)?Equal\s*\(|\.toMatchObject\s*\(|\bdeep\w*\s*\(|\.(?:each|for)\b|\bstrictSame\s*\(|\.eql?\s*\(/g,
};

const python: TestLanguage = {
  files: /\.py$/,
  syntax: pythonSyntax,
  testCase: { start: /^[ \t]*(?:async[ \t]+)?def[ \t]+(?<name>test\w*)[ \t]*\(/gm, extent: "indent" },
  attribute: /^[ \t]*@/,
  skips:
    /@[\w.]*(?:skip|skipif|skipIf|skipUnless|xfail|expectedFailure)\b|\bpytest\.(?:skip|xfail|importorskip)\s*\(|\bskipTest\s*\(|\bSkipTest\b/,
  groupSkips:
    /^pytestmark\s*=.*(?:skip|xfail)|^@[\w.]*(?:skip\w*|xfail)\b.*\n(?:@.*\n){0,20}class\b|\b__test__\s*=\s*False|allow_module_level/gm,
  assertions: /\bassert\b|\.assert\w+\s*\(|\bpytest\.(?:raises|warns|fail)\s*\(|\bself\.fail\s*\(/g,
  loose:
    /\bassert\s+(?!.*(?:==|!=|\bin\b|\bis\b)).*|\.assert(?:True|False|IsNotNone|IsInstance|GreaterEqual|Greater|LessEqual|Less)\s*\(|\bpytest\.raises\s*\(\s*(?:Base)?Exception\b|\bassert\b.*\bis not None\b/g,
  deep: /\bassert\b.*==\s*(?:\[|\{|\()|\.assert(?:Dict|List|Tuple|Count|Sequence)Equal\s*\(|\bparametrize\b/g,
};

const go: TestLanguage = {
  files: /\.go$/,
  syntax: curlySyntax,
  testCase: { start: /^func[ \t]+(?<name>(?:Test|Fuzz|Example)\w*)[ \t]*\(/gm, extent: "block" },
  skips: /\b[tbf]\.Skip(?:f|Now)?\s*\(/,
  assertions:
    /\b[tbf]\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)\s*\(|\b(?:require|assert|is|qt)\.\w+\s*\(|\bt\.Run\s*\(/g,
  loose: /\b(?:require|assert)\.(?:NotNil|True|False|NotEmpty|NoError)\s*\(/g,
  deep: /\breflect\.DeepEqual\b|\bcmp\.Diff\b|\bt\.Run\s*\(/g,
};

const rust: TestLanguage = {
  files: /\.rs$/,
  syntax: curlySyntax,
  testCase: {
    start:
      /#\[(?:\w+::)*(?:test|rstest)\b[^\]]{0,300}\](?:\s*#\[[^\]]{0,300}\]){0,20}\s*(?:pub\s+)?(?:async\s+)?fn\s+(?<name>\w+)/g,
    extent: "block",
  },
  attribute: /^\s*#\[/,
  skips: /#\[(?:\w+::)*ignore\b|#\[should_panic\b/,
  groupSkips: /#!?\[cfg\((?:any\(\)|not\(test\)|FALSE)\)\]/g,
  assertions: /\b(?:debug_)?assert\w*!\s*[([{]|\bpanic!\s*[([{]|\.unwrap\(\)|\.expect\s*\(|\bprop_assert\w*!/g,
  loose: /\bassert!\s*\(|\.unwrap\(\)|\.expect\s*\(/g,
  deep: /\bassert_eq!\s*\(/g,
};

const annotated: TestLanguage = {
  files: /\.(?:java|kt|kts|scala|groovy|cs|fs|php|swift)$/,
  syntax: curlySyntax,
  testCase: {
    start:
      /(?:@(?:Test|ParameterizedTest|RepeatedTest|Property)\b(?:\([^)\n]{0,200}\))?|\[(?:Fact|Theory|Test|TestMethod|TestCase)\b[^\]\n]{0,200}\])(?:\s*(?:@\w+(?:\([^)\n]{0,200}\))?|\[[^\]\n]{0,200}\])){0,20}\s*(?:[\w<>.?]+(?:\[\])?\s+){0,8}?(?<name>\w+|`[^`\n]{0,200}`)\s*\(|\bfunc(?:tion)?\s+(?<method>test\w*)\s*\(/g,
    extent: "block",
  },
  attribute: /^\s*(?:@\w|\[\w)/,
  skips:
    /@(?:Disabled|Ignore|Disabled\w+)\b|\[Ignore\b|\bSkip\s*=|\bmarkTest(?:Skipped|Incomplete)\s*\(|\bassumeTrue\s*\(\s*false|\bAssert\.(?:Ignore|Inconclusive)\s*\(|\bXCTSkip\b/,
  groupSkips:
    /@(?:Disabled|Ignore)\b[^\n]*\n(?:\s*@[^\n]*\n){0,20}\s*(?:(?:public|final|abstract|open|internal)\s+)*class\b/g,
  assertions:
    /\bassert\w*\s*\(|\bAssert\.\w+|\.(?:is[A-Z]\w*|has[A-Z]\w*|contains\w*)\s*\(|\bverify\w*\s*\(|\.Should\w*|\bfail\s*\(|\bexpect\w*\s*\(|\bXCT\w+\s*\(/g,
  loose:
    /\bassert(?:True|False|NotNull|DoesNotThrow|IsObject|InstanceOf)\s*\(|\.isNotNull\s*\(|\bAssert\.(?:True|False|NotNull|IsTrue|IsNotNull)\b/g,
  deep: /\bassert(?:All|ArrayEquals|IterableEquals|Equals|Same)\s*\(|\.isEqualTo\s*\(|\.usingRecursiveComparison\b/g,
};

const ruby: TestLanguage = {
  files: /\.(?:rb|exs?)$/,
  syntax: rubySyntax,
  testCase: { start: /^[ \t]*(?:x?it|fit|x?specify|x?example|test|def[ \t]+(?<name>test_\w+))\b/gm, extent: "end" },
  attribute: /^\s*@/,
  skips: /^[ \t]*x\w+\b|\bskip\b|\bpending\b|@tag\s+:skip/,
  groupSkips: /^[ \t]*(?:xdescribe|xcontext)\b|^[ \t]*describe\b.*\bskip:/gm,
  assertions: /\bassert\w*|\brefute\w*|\bexpect\b|\.must_\w+|\.wont_\w+|\.should\b|\bflunk\b/g,
  loose: /\bassert\b\s*\(?\s*\w|\bassert_not_nil\b|\bbe_truthy\b|\bnot_to\s+be_nil\b|\bnot_to\s+raise_error\b/g,
  deep: /\beq\s*\(?\s*[[{]|\bassert_equal\s*\(?\s*[[{]|\bmatch_array\b/g,
};

/** Test scripts: every way to a failing end counts. */
const shell: TestLanguage = {
  files: /\.(?:sh|bash|zsh|bats)$/,
  syntax: { lineComment: ["#!", " #", "\t#", "\n#"], blockComment: [], quotes: ['"', "'"] },
  skips: /^[ \t]*skip\b/m,
  groupSkips: /^[ \t]*skip\b/gm,
  assertions:
    /\bexit\s+(?:[1-9$]|"\$)|\breturn\s+[1-9]|\[\[?\s|\btest\s|\b(?:diff|cmp|grep)\b|\b\w*(?:assert|expect|fail|check)\w*\b|\bset\s+-\w*e|^@test\b/gm,
  loose: /$^/g,
  deep: /$^/g,
};

/** For test files of any other language: what can fail is only counted. */
const anyOther: TestLanguage = {
  files: /\.(?:c|cc|cpp|h|hpp|dart|lua|clj|hs|ml|jl|pl|t|r|ps1|erl|nim|zig|elm|vue|svelte)$/i,
  syntax: curlySyntax,
  skips: /\b(?:skip|DISABLED_\w+|GTEST_SKIP|@Skip)\b/i,
  groupSkips: /\b(?:skip|DISABLED_\w+|GTEST_SKIP)\b/gi,
  assertions:
    /\b(?:\w*assert\w*|expect\w*|check|require|should\w*)\b|\breturn\s+(?:[1-9]|EXIT_FAILURE)|\bexit\s*\(\s*(?:[1-9]|EXIT_FAILURE)|\babort\s*\(/gi,
  loose: /$^/g,
  deep: /$^/g,
};

const languages: readonly TestLanguage[] = [javascript, python, go, rust, annotated, ruby, shell, anyOther];

/** How tests are written in a file of that name, or null for data. */
export function testLanguage(path: string): TestLanguage | null {
  return languages.find((language) => language.files.test(path)) ?? null;
}
