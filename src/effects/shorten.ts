/** Length caps that cut between blocks, so that no fence, list or table is left open. */
import type { Root, RootContent } from "mdast";
import { printMarkdown } from "../platform/markdown.ts";

const note = "(shortened)";

function print(children: readonly RootContent[]): string {
  return printMarkdown({ type: "root", children: [...children] });
}

/** As much of one block as fits into `room` characters: whole list items or table rows, else whole lines of its source. */
function part(block: RootContent, room: number): RootContent | null {
  if (block.type === "list" || block.type === "table" || block.type === "blockquote") {
    const kept = [...block.children];
    // Halving first keeps this linear for very long lists.
    while (kept.length > 1 && print([{ ...block, children: kept } as RootContent]).length > room)
      kept.splice(kept.length > 64 ? Math.floor(kept.length / 2) : kept.length - 1);
    const smaller = { ...block, children: kept } as RootContent;
    return print([smaller]).length <= room ? smaller : null;
  }
  if (block.type === "code") {
    for (let length = room - 16; length > 0; length = Math.floor(length * 0.9)) {
      const value = block.value.slice(0, length).replace(/\n?[^\n]*$/, "");
      const smaller: RootContent = { ...block, value };
      if (value !== "" && print([smaller]).length <= room) return smaller;
    }
    return null;
  }
  if (block.type === "paragraph" && block.children.length > 0) {
    const kept = [...block.children];
    const fits = (): boolean => print([{ ...block, children: kept }]).length <= room;
    while (kept.length > 1 && !fits()) kept.splice(kept.length > 64 ? Math.floor(kept.length / 2) : kept.length - 1);
    const only = kept[0];
    if (kept.length === 1 && only?.type === "text") {
      for (let length = room; length > 0 && !fits(); length = Math.floor(length * 0.9)) {
        kept[0] = {
          type: "text",
          value:
            only.value.slice(0, length).replace(/\s*\S*$/, "") ||
            only.value.slice(0, length).replace(/[\ud800-\udbff]$/, ""),
        };
      }
    }
    return fits() ? { ...block, children: kept } : null;
  }
  return null;
}

/**
 * The tree, or as many of its first blocks as print in `maxLength` characters together with a closing "(shortened)".
 * A first block that is too long by itself is cut between items or lines.
 */
export function shorten(tree: Root, maxLength: number, found: (finding: string) => void): Root {
  if (printMarkdown(tree).length <= maxLength) return tree;
  found("the text was shortened");
  const ending: RootContent = { type: "paragraph", children: [{ type: "text", value: note }] };
  const kept: RootContent[] = [];
  // Each block costs its own text and a blank line; neighbouring lists can cost a little more, hence the last loop.
  let room = maxLength - note.length - 2;
  for (const block of tree.children) {
    const cost = print([block]).length + 1;
    if (cost > room) {
      const rest = kept.length === 0 || block.type === "list" ? part(block, room - 1) : null;
      if (rest !== null) kept.push(rest);
      break;
    }
    kept.push(block);
    room -= cost;
  }
  while (kept.length > 0 && print([...kept, ending]).length > maxLength) kept.pop();
  const children = [...kept, ending];
  return { type: "root", children: print(children).length <= maxLength ? children : [] };
}
