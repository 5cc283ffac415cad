/** The webhooks of a project: whether GitLab still sends them, and making it send again. */
import type { ProjectHooks, Projects } from "@gitbeaker/rest";
import { z } from "zod";
import type { HookKeeper } from "../../domain/ports.ts";
import type { Hook } from "../../domain/ticket.ts";
import { checked, ProjectId } from "./schemas.ts";

/** `executable`, `temporarily_disabled` or `disabled`; absent before 15.2 (gitlab.com/gitlab-org/gitlab/-/merge_requests/89322). */
const HookAnswer = z.object({
  id: z.number().int(),
  url: z.string(),
  alert_status: z.string().nullish(),
  disabled_until: z.string().nullish(),
});

function stateOf({ alert_status: alert, disabled_until: until }: z.infer<typeof HookAnswer>): Hook["state"] {
  if (alert === "disabled") return "disabled";
  const paused = alert === "temporarily_disabled" || (until != null && Date.parse(until) > Date.now());
  return paused ? "paused" : "working";
}

/** Throws as all of the adapter does: Retryable or Permanent (403 when the token is not a Maintainer's). */
export function createHookKeeper(hooks: ProjectHooks, projects: Projects): HookKeeper {
  return {
    async listHooks(repository) {
      // One page: GitLab.com allows 100 webhooks in a project.
      const answers: unknown = await hooks.all(repository, { page: 1, perPage: 100 });
      return checked(HookAnswer.array(), answers, "list of webhooks").map((answer) => ({
        id: answer.id,
        url: answer.url,
        state: stateOf(answer),
      }));
    },

    async testHook({ repository, hookId }) {
      // Not in gitbeaker 43, whose resource brings the path's first part, `projects/`. Any trigger will do, and a repository that we work in has commits to make a sample of.
      // A 2xx switches the webhook on again (docs.gitlab.com/user/project/integrations/webhooks, "Re-enable disabled webhooks").
      // Other than elsewhere, GitLab's description wants the project's number here.
      const { id } = checked(ProjectId, await projects.show(repository), "project");
      await hooks.requester.post(`${id}/hooks/${hookId}/test/push_events`);
    },
  };
}
