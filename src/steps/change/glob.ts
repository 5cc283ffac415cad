/** Paths and patterns as policies name them. Names that some file system or eye takes for the same count as the same. */

/** As it is compared: one case, one Unicode form, without invisible characters, without the trailing dots and blanks that Windows drops. */
export function comparable(path: string): string {
  return path
    .normalize("NFKC")
    .replace(/\p{Default_Ignorable_Code_Point}|\p{Cf}/gu, "")
    .toLowerCase()
    .replaceAll("\\", "/")
    .split("/")
    .map((part) => (/^\.+$/.test(part) ? part : part.replace(/[. ]+$/, "")))
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

/** `*` and `?` within a name, `**` across directories. A pattern without a slash matches in every directory, as in `.gitignore`. */
function expression(pattern: string): RegExp {
  const anchored = pattern.replace(/^\//, "");
  const source = anchored
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) => {
      if (part === "**/") return "(?:.*/)?";
      if (part === "**") return ".*";
      if (part === "*") return "[^/]*";
      return part === "?" ? "[^/]" : part.replace(/[.+^${}()|[\]\\]/g, "\\$&");
    })
    .join("");
  return new RegExp(`^${pattern.includes("/") ? "" : "(?:.*/)?"}${source}$`, "su");
}

/** The first of `patterns` that names `path`, or null. */
export function matchingPattern(path: string, patterns: readonly string[]): string | null {
  const name = comparable(path);
  return patterns.find((pattern) => expression(pattern.normalize("NFKC").toLowerCase()).test(name)) ?? null;
}
