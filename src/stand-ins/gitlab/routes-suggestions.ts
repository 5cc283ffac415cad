/** Committing what a comment suggests. */
import type { Route } from "../server.ts";
import { headOf, levelOf, sourceOf } from "./lookups.ts";
import { afterPush } from "./pushes.ts";
import { notFound, Refusal, signedIn, text } from "./request.ts";
import { type Suggestion, suggestionShape, suggestionsOf } from "./suggestions.ts";
import type { MergeRequest, Project, World } from "./world.ts";

function find(world: World, id: string) {
  for (const project of world.projects) {
    for (const mergeRequest of project.mergeRequests) {
      for (const { notes } of mergeRequest.discussions) {
        const suggestion = notes.flatMap(suggestionsOf).find((candidate) => String(candidate.id) === id);
        if (suggestion !== undefined) return { project, mergeRequest, notes, suggestion };
      }
    }
  }
  throw notFound("Suggestion");
}

async function replaceLines(project: Project, mergeRequest: MergeRequest, { note, from, to, content }: Suggestion) {
  const path = note.position?.new_path ?? "";
  const { headSha } = headOf(mergeRequest);
  const old = await project.repository.readBlob(headSha, path);
  if (old === null || note.position?.head_sha !== headSha) {
    throw new Refusal(400, { message: "Can't apply as this line was changed in a more recent version." });
  }
  const lines = old.toString("utf8").split(/(?<=\n)/);
  return { path, content: [...lines.slice(0, from - 1), content, ...lines.slice(to)].join("") };
}

/** Committing a suggestion: a commit on the source branch, and the thread is resolved. */
export function suggestionRoutes(world: World): Route[] {
  return [
    [
      "PUT",
      "/api/v4/suggestions/:id/apply",
      signedIn(world, async ({ user, route, params }) => {
        const { project, mergeRequest, notes, suggestion } = find(world, route.id ?? "");
        const source = sourceOf(world, project, mergeRequest);
        if (levelOf(user, source) < 30) throw new Refusal(403, { message: "403 Forbidden" });
        const change = await replaceLines(project, mergeRequest, suggestion);
        const before = await source.repository.branches();
        await source.repository.commit({
          branch: mergeRequest.sourceBranch,
          parent: headOf(mergeRequest).headSha,
          message: text(params, "commit_message") ?? "Apply 1 suggestion(s) to 1 file(s)",
          author: { name: user.name, email: user.email, date: new Date().toISOString() },
          changes: [{ kind: "write", ...change }],
        });
        for (const note of notes.filter(({ resolvable }) => resolvable)) {
          note.resolvedBy = user.id;
          note.resolvedAt = new Date();
        }
        suggestion.note.appliedSuggestions.add(suggestion.id);
        await afterPush(world, source, user, before);
        return { status: 200, body: suggestionShape(suggestion) };
      }),
    ],
  ];
}
