/** The wiki for people: an index and a simple view of each page. */
import { escapeHtml, type StandInReply } from "../server.ts";
import { storageHtml } from "./storage-format.ts";
import { latest, type Wiki, type WikiPage, type WikiUser } from "./wiki.ts";

const style = `
  body { font: 16px/1.6 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; color: #172b4d; background: #fff }
  a { color: #0c66e4 } h1 { line-height: 1.2 } code, pre { font: 14px/1.5 ui-monospace, monospace; background: #f1f2f4; border-radius: 4px }
  pre { padding: .75rem 1rem; overflow-x: auto } code { padding: .1rem .25rem } pre code { padding: 0 }
  table { border-collapse: collapse } td, th { border: 1px solid #c1c7d0; padding: .4rem .6rem; text-align: left } th { background: #f1f2f4 }
  blockquote { margin: 1rem 0; padding-left: 1rem; border-left: 3px solid #c1c7d0; color: #44546f }
  .panel { padding: .5rem 1rem; margin: 1rem 0; border-radius: 4px; background: #e9f2ff } .warning, .note { background: #fff7d6 } .tip { background: #dcfff1 }
  .status { font-size: .75rem; font-weight: 700; padding: .1rem .4rem; border-radius: 3px; background: #dcdfe4 } .status.green { background: #baf3db }
  .meta { color: #626f86; font-size: .875rem } .tasks { list-style: none; padding-left: .5rem } .label { background: #f1f2f4; padding: .1rem .5rem; border-radius: 3px; margin-right: .25rem }`;

function html(title: string, content: string): StandInReply {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${style}</style>`;
  return {
    status: 200,
    headers: { "content-type": "text/html; charset=utf-8" },
    body: `<!doctype html><html lang="en"><head>${head}</head><body>${content}</body></html>`,
  };
}

/** Path of a page's view, under `/wiki`. */
export function webPath(wiki: Wiki, page: WikiPage): string {
  const key = wiki.spaces.find(({ id }) => id === page.spaceId)?.key ?? "";
  return `/spaces/${key}/pages/${page.id}/${encodeURIComponent(latest(page).title).replaceAll("%20", "+")}`;
}

export function indexView(wiki: Wiki): StandInReply {
  const entry = (page: WikiPage): string =>
    `<li><a href="/wiki${escapeHtml(webPath(wiki, page))}">${escapeHtml(latest(page).title)}</a></li>`;
  const section = (space: (typeof wiki.spaces)[number]): string => {
    const pages = wiki.pages.filter((page) => page.spaceId === space.id && page.status === "current");
    return `<h2>${escapeHtml(space.name)} <span class="meta">${escapeHtml(space.key)}</span></h2><ul>${pages.map(entry).join("")}</ul>`;
  };
  return html("Wiki", `<h1>Wiki</h1>${wiki.spaces.map(section).join("")}`);
}

export function pageView(wiki: Wiki, users: readonly WikiUser[], page: WikiPage): StandInReply {
  const { title, number, message, authorId, body } = latest(page);
  const author = users.find((user) => user.accountId === authorId)?.displayName ?? authorId;
  const space = wiki.spaces.find(({ id }) => id === page.spaceId)?.name ?? "";
  const parent = wiki.pages.find(({ id }) => id === page.parentId);
  const trail = [space, ...(parent === undefined ? [] : [latest(parent).title])].map(escapeHtml).join(" / ");
  const about = `Version ${number} by ${author}${message === "" ? "" : `: ${message}`}`;
  const labels = page.labels.map((name) => `<span class="label">${escapeHtml(name)}</span>`).join("");
  return html(
    title,
    `<p class="meta"><a href="/wiki">Wiki</a> / ${trail}</p><h1>${escapeHtml(title)}</h1><p class="meta">${escapeHtml(about)}</p>` +
      `<main>${storageHtml(body)}</main><p>${labels}</p>`,
  );
}
