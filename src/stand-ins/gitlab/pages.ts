/** Pages for people who follow a demo: projects, files, merge requests with their diffs, notes and pipelines. Everything is escaped. */
import { escapeHtml, type Handler, type Route } from "../server.ts";
import { diffFiles, type FileDiff } from "./diffs.ts";
import { headOf, isDraft, userOf } from "./lookups.ts";
import { headPipeline } from "./merge-request-shapes.ts";
import { layout, link, renderMarkdown } from "./page-parts.ts";
import { pipelinesOf } from "./pipelines.ts";
import type { MergeRequest, Note, Project, World } from "./world.ts";

const html = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
};
const page = (title: string, body: string, status = 200) => ({ status, headers: html, body: layout(title, body) });

/** Routes of the pages. They are open to everybody: the stand-in listens on loopback and its projects are made up. */
export function pageRoutes(world: World, prefix: string): Route[] {
  const projectRoutes = world.projects.flatMap((project): Route[] => {
    const base = `${prefix}/${project.path}`;
    const list: Handler = () => page(`Merge requests · ${project.path}`, mergeRequestList(world, project));
    return [
      ["GET", base, async () => page(project.path, await projectPage(world, project))],
      ["GET", `${base}/-/merge_requests`, list],
      [
        "GET",
        `${base}/-/merge_requests/:iid`,
        async ({ params }) => {
          const found = project.mergeRequests.find((candidate) => String(candidate.iid) === params.iid);
          if (found === undefined) return page("Not found", "<h1>404: not found</h1>", 404);
          return page(`${found.title} (!${found.iid})`, await mergeRequestPage(world, project, found));
        },
      ],
      [
        "GET",
        `${base}/-/pipelines/:pipeline`,
        ({ params }) => {
          const found = project.pipelines.find((candidate) => String(candidate.id) === params.pipeline);
          if (found === undefined) return page("Not found", "<h1>404: not found</h1>", 404);
          const jobs = found.jobs.map(
            (job) => `<h3>${escapeHtml(job.name)} ${badge(job.status)}</h3><pre>${escapeHtml(job.trace ?? "")}</pre>`,
          );
          return page(`Pipeline ${found.id}`, `<h1>Pipeline #${found.id} ${badge(found.status)}</h1>${jobs.join("")}`);
        },
      ],
      [
        "GET",
        `${base}/-/blob/:branch/*file`,
        async ({ params }) => {
          const commit = await project.repository.resolve(params.branch ?? "");
          const content = commit === null ? null : await project.repository.readBlob(commit, params.file ?? "");
          if (content === null) return page("Not found", "<h1>404: not found</h1>", 404);
          return page(
            params.file ?? "",
            `<h1>${escapeHtml(params.file ?? "")}</h1><pre>${escapeHtml(content.toString("utf8"))}</pre>`,
          );
        },
      ],
    ];
  });
  return [["GET", prefix === "" ? "/" : prefix, () => page("GitLab", indexPage(world))], ...projectRoutes];
}

function indexPage(world: World): string {
  const rows = world.projects.map((project) => {
    const open = project.mergeRequests.filter((found) => found.state === "opened").length;
    return `<li>${link(`${world.url}/${project.path}`, project.path)} <small>${open} open merge request${open === 1 ? "" : "s"}</small></li>`;
  });
  return `<h1>Projects</h1><ul>${rows.join("")}</ul>`;
}

function badge(status: string): string {
  return `<span class="badge ${escapeHtml(status)}">${escapeHtml(status)}</span>`;
}

async function projectPage(world: World, project: Project): Promise<string> {
  const base = `${world.url}/${project.path}`;
  const branches = await project.repository.branches();
  const head = branches.get(project.defaultBranch);
  const files =
    head === undefined ? [] : (await project.repository.tree(head, "", true)).filter((entry) => entry.type === "blob");
  const branch = encodeURIComponent(project.defaultBranch);
  const fileRows = files.map(({ path }) => {
    const address = path.split("/").map(encodeURIComponent).join("/");
    return `<li>${link(`${base}/-/blob/${branch}/${address}`, path)}</li>`;
  });
  const branchRows = [...branches].map(
    ([name, id]) => `<li><code>${escapeHtml(name)}</code> <small>${id.slice(0, 8)}</small></li>`,
  );
  return `<h1>${escapeHtml(project.path)}</h1><p>Clone with <code>${escapeHtml(base)}.git</code></p>
${mergeRequestList(world, project)}
<h2>Branches</h2><ul>${branchRows.join("")}</ul>
<h2>Files</h2><ul>${fileRows.join("")}</ul>`;
}

function mergeRequestList(world: World, project: Project): string {
  const rows = [...project.mergeRequests].reverse().map((found) => {
    const pipeline = headPipeline(project, found);
    const address = `${world.url}/${project.path}/-/merge_requests/${found.iid}`;
    return `<li>${link(address, found.title)} <small>!${found.iid}</small> ${badge(found.state)} ${pipeline === undefined ? "" : badge(pipeline.status)}</li>`;
  });
  return `<h2>Merge requests</h2>${rows.length === 0 ? "<p>None yet.</p>" : `<ul>${rows.join("")}</ul>`}`;
}

async function mergeRequestPage(world: World, project: Project, found: MergeRequest): Promise<string> {
  const head = headOf(found);
  const files = await diffFiles(project.repository, head.baseSha, head.headSha);
  const notes = found.discussions.flatMap((discussion) => discussion.notes);
  const pipelines = pipelinesOf(project, found.iid).map(
    (pipeline) =>
      `<li>${link(`${world.url}/${project.path}/-/pipelines/${pipeline.id}`, `#${pipeline.id}`)} ${badge(pipeline.status)} ${escapeHtml(pipeline.source)}</li>`,
  );
  const labels = found.labels.map((label) => `<span class="label">${escapeHtml(label)}</span>`).join(" ");
  return `<p>${link(`${world.url}/${project.path}`, project.path)} <small>!${found.iid}</small></p>
<h1>${isDraft(found) ? '<span class="badge draft">Draft</span> ' : ""}${escapeHtml(found.title.replace(/^draft:\s*/i, ""))}</h1>
<p>${badge(found.state)} ${escapeHtml(userOf(world, found.authorId).name)} wants to merge <code>${escapeHtml(found.sourceBranch)}</code> into <code>${escapeHtml(found.targetBranch)}</code> ${labels}</p>
<section class="card">${renderMarkdown(found.description)}</section>
<h2>Pipelines</h2>${pipelines.length === 0 ? "<p>None.</p>" : `<ul>${pipelines.join("")}</ul>`}
<h2>Changes <small>${files.length} file${files.length === 1 ? "" : "s"}</small></h2>${files.map(fileDiff).join("")}
<h2>Activity</h2>${notes.map((note) => noteCard(world, note)).join("")}`;
}

function fileDiff(file: FileDiff): string {
  const kind = file.new_file
    ? "added"
    : file.deleted_file
      ? "deleted"
      : file.renamed_file
        ? `renamed from ${file.old_path}`
        : "";
  const lines = file.diff.split("\n").map((line) => {
    const sign = { "+": "add", "-": "del", "@": "hunk" }[line[0] ?? ""] ?? "";
    return `<span class="line ${sign}">${escapeHtml(line)}</span>`;
  });
  return `<details open><summary><code>${escapeHtml(file.new_path)}</code> <small>${escapeHtml(kind)}</small></summary><pre class="diff">${lines.join("")}</pre></details>`;
}

function noteCard(world: World, note: Note): string {
  const who = escapeHtml(userOf(world, note.authorId).name);
  if (note.system) return `<p><small>${who} ${renderMarkdown(note.body).replace(/<\/?p>/g, "")}</small></p>`;
  const place =
    note.position === null
      ? ""
      : ` on <code>${escapeHtml(`${note.position.new_path}:${note.position.new_line ?? note.position.old_line}`)}</code>`;
  return `<section class="card"><p><strong>${who}</strong>${place}</p>${renderMarkdown(note.body)}</section>`;
}
