/** What counts as a declaration, per language, by the node kinds of its tree-sitter grammar. */

export interface Language {
  /** As ast-grep calls it. */
  readonly name: string;
  /** Endings of file names, without the dot. */
  readonly extensions: readonly string[];
  /** Kinds that are declarations and whose body may hold more of them. */
  readonly containers: ReadonlySet<string>;
  /** Kinds that are declarations and are not looked into. */
  readonly leaves: ReadonlySet<string>;
}

/** A set of words. */
export const kinds = (text: string): ReadonlySet<string> => new Set(text.split(" "));

const script = {
  containers: kinds(
    "class_declaration abstract_class_declaration class interface_declaration internal_module module enum_declaration",
  ),
  leaves: kinds(
    "function_declaration generator_function_declaration function_signature method_definition method_signature abstract_method_signature type_alias_declaration variable_declarator",
  ),
};

/** JavaScript to HTML are built into ast-grep, under these names. */
export const languages: readonly Language[] = [
  { name: "JavaScript", extensions: ["js", "jsx", "mjs", "cjs"], ...script },
  { name: "TypeScript", extensions: ["ts", "mts", "cts"], ...script },
  { name: "Tsx", extensions: ["tsx"], ...script },
  {
    name: "Css",
    extensions: ["css"],
    containers: kinds("media_statement supports_statement"),
    leaves: kinds("rule_set keyframes_statement"),
  },
  { name: "Html", extensions: ["html", "htm"], containers: kinds("element"), leaves: kinds("script_element") },
  {
    name: "python",
    extensions: ["py", "pyi"],
    containers: kinds("class_definition"),
    leaves: kinds("function_definition"),
  },
  {
    name: "go",
    extensions: ["go"],
    containers: kinds(""),
    leaves: kinds("function_declaration method_declaration type_spec type_alias const_spec var_spec"),
  },
  {
    name: "java",
    extensions: ["java"],
    containers: kinds(
      "class_declaration interface_declaration enum_declaration record_declaration annotation_type_declaration",
    ),
    leaves: kinds("method_declaration constructor_declaration"),
  },
];

/** The language of a file by its name, or undefined. */
export function languageOf(path: string): Language | undefined {
  const extension = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  return languages.find((language) => language.extensions.includes(extension));
}
