/** Effects on the conversation of a merge request: emoji, notes, reviews, threads, description, draft state, merge, jobs. */
import type { Code, Root } from "mdast";
import type { Effect, Ensured } from "../domain/effect.ts";
import type { Door } from "./door.ts";
import { passGate } from "./gate.ts";

type OnMergeRequest = Extract<
  Effect,
  {
    kind:
      | "gitlab.award"
      | "gitlab.note"
      | "gitlab.review"
      | "gitlab.resolve"
      | "gitlab.description"
      | "gitlab.ready"
      | "gitlab.merge"
      | "gitlab.retryJob";
  }
>;
type Finding = Extract<Effect, { kind: "gitlab.review" }>["findings"][number];

/** Most characters of a note; GitLab takes a million, nobody reads more than this. */
const noteLength = 20_000;
const findingLength = 4000;
const descriptionLength = 60_000;

/** Most characters of lines that are offered to be committed with a click. */
const suggestionLength = 4000;

/**
 * The lines that a suggestion puts in, as GitLab reads them (docs.gitlab.com, "Suggest changes"). Null when they would not leave the gate
 * as they are: what is committed with a click must be what was meant.
 */
function suggestionBlock(door: Door, { suggestion }: Finding): Code | null {
  if (suggestion === null || suggestion.text.length > suggestionLength) return null;
  const block: Code = {
    type: "code",
    lang: `suggestion:-${suggestion.above}+${suggestion.below}`,
    value: suggestion.text,
  };
  const fence = "`".repeat(Math.max(3, ...[...suggestion.text.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  const rules = {
    allowedHosts: door.allowedHosts,
    mentions: [],
    maxLength: 2 * suggestionLength,
    target: "gitlab" as const,
  };
  const passed = passGate(`${fence}text\n${suggestion.text}\n${fence}`, rules).body;
  const [only] = passed.children;
  return passed.children.length === 1 && only?.type === "code" && only.value === suggestion.text ? block : null;
}

function findingBody(door: Door, finding: Finding): Root {
  const rules = { allowedHosts: door.allowedHosts, mentions: [], maxLength: findingLength, target: "gitlab" as const };
  const { body } = passGate(finding.body, rules);
  const block = suggestionBlock(door, finding);
  return block === null ? body : { ...body, children: [...body.children, block] };
}

/** Sees to it that an effect on a merge request is there. Throws as the writer's `ensure…` does. */
export function ensureOnMergeRequest(door: Door, effect: OnMergeRequest): Promise<Ensured> {
  const { reviews } = door.writers;
  const rules = { allowedHosts: door.allowedHosts, mentions: [], target: "gitlab" as const };
  switch (effect.kind) {
    case "gitlab.award": {
      const { repository, iid, noteId, emoji } = effect;
      return reviews.ensureAward({ repository, iid, noteId, name: emoji });
    }
    case "gitlab.note": {
      const { repository, iid, discussionId, subject, mentions } = effect;
      const { body } = passGate(effect.body, { ...rules, mentions, maxLength: noteLength });
      return reviews.ensureNote({ repository, iid, discussionId, marker: `note:${subject}`, body });
    }
    case "gitlab.review": {
      const { repository, iid, refs } = effect;
      const findings = effect.findings.map((finding) => ({
        marker: `finding:${finding.identity}`,
        position: finding.position,
        body: findingBody(door, finding),
      }));
      return reviews.ensureReview({ repository, iid, refs, findings });
    }
    case "gitlab.resolve": {
      const { repository, iid, discussionId } = effect;
      return reviews.ensureResolved({ repository, iid, discussionId });
    }
    case "gitlab.description": {
      const { repository, iid, subject } = effect;
      const { body } = passGate(effect.body, { ...rules, maxLength: descriptionLength });
      return reviews.ensureDescription({ repository, iid, marker: `description:${subject}`, body });
    }
    case "gitlab.ready":
      return reviews.ensureReady({ repository: effect.repository, iid: effect.iid, sha: effect.sha });
    case "gitlab.merge":
      return reviews.ensureMerged({ repository: effect.repository, iid: effect.iid, sha: effect.sha });
    case "gitlab.retryJob": {
      const { repository, pipelineId, jobId } = effect;
      return reviews.ensureRetried({ repository, pipelineId, jobId });
    }
  }
}
