/** What the pages are made of. */
import type { Nodes } from "mdast";
import { parseMarkdown } from "../../platform/markdown.ts";
import { escapeHtml } from "../server.ts";

const style = `
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#28272d;background:#fff}
a{color:#1068bf;text-decoration:none}a:hover{text-decoration:underline}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #dcdcde}
small{color:#626168}code{background:#ececef;border-radius:3px;padding:0 .25em}
pre{background:#fbfafd;border:1px solid #dcdcde;border-radius:4px;padding:.5rem;overflow:auto}pre code{background:none;padding:0}
table{border-collapse:collapse}td,th{border:1px solid #dcdcde;padding:.2rem .6rem;text-align:left}
.card{border:1px solid #dcdcde;border-radius:6px;padding:.25rem 1rem;margin:1rem 0}
.badge{border-radius:1em;padding:.1em .6em;font-size:.8rem;background:#ececef;vertical-align:middle}
.badge.opened,.badge.success,.badge.merged{background:#c3e6cd}.badge.failed,.badge.closed{background:#fdd4cd}
.badge.running,.badge.pending{background:#cbe2f9}.badge.draft{background:#f5d9a8}
.label{background:#e1d8f9;border-radius:1em;padding:.1em .6em;font-size:.8rem}
.diff{padding:0;font:13px/1.45 ui-monospace,monospace}.line{display:block;white-space:pre;padding:0 .5rem;min-height:1.45em}
.add{background:#ecfdf0}.del{background:#fbe9eb}.hunk{color:#626168;background:#f3f3f5}
`;

/** A whole page. `body` is HTML. */
export function layout(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${style}</style><body>${body}</body></html>`;
}

/** A link; addresses other than http and relative ones lose theirs. */
export function link(address: string, text: string): string {
  return /^(?:https?:\/\/|\/(?!\/))/.test(address)
    ? `<a href="${escapeHtml(address)}">${escapeHtml(text)}</a>`
    : escapeHtml(text);
}

/** Markdown as simple HTML. HTML in it is shown as text, except comments, which nobody sees. Images are links. */
export function renderMarkdown(markdown: string): string {
  return render(parseMarkdown(markdown));
}

const wrappers: Partial<Record<Nodes["type"], string>> = {
  paragraph: "p",
  strong: "strong",
  emphasis: "em",
  delete: "del",
  blockquote: "blockquote",
  listItem: "li",
  table: "table",
  tableRow: "tr",
  tableCell: "td",
};

function render(node: Nodes): string {
  const inner = (): string => ("children" in node ? node.children.map((child) => render(child)).join("") : "");
  switch (node.type) {
    case "text":
      return escapeHtml(node.value);
    case "inlineCode":
      return `<code>${escapeHtml(node.value)}</code>`;
    case "code":
      return `<pre><code>${escapeHtml(node.value)}</code></pre>`;
    case "html":
      return escapeHtml(node.value.replace(/<!--[\s\S]*?-->/g, ""));
    case "heading":
      return `<h${node.depth}>${inner()}</h${node.depth}>`;
    case "list":
      return node.ordered === true ? `<ol>${inner()}</ol>` : `<ul>${inner()}</ul>`;
    case "thematicBreak":
      return "<hr>";
    case "break":
      return "<br>";
    case "image":
      return link(node.url, node.alt ?? node.url);
    case "link":
      return /^(?:https?:\/\/|\/(?!\/))/.test(node.url) ? `<a href="${escapeHtml(node.url)}">${inner()}</a>` : inner();
    default: {
      const tag = wrappers[node.type];
      return tag === undefined ? inner() : `<${tag}>${inner()}</${tag}>`;
    }
  }
}
