/** What has been done and said on a merge request, from `ticketsmith.runs`. */
import type { Run } from "../domain/run.ts";
import type { Queryable } from "./queryable.ts";
import { type RunRow, runColumns, toRun } from "./runs.ts";

/** The newest 50 runs about a merge request, or about the ticket whose branch it has; newest first. */
export async function listRunsAbout(
  db: Queryable,
  { repository, iid, ticket }: { readonly repository: string; readonly iid: number; readonly ticket: string | null },
): Promise<Run[]> {
  const { rows } = await db.query<RunRow>(
    `select ${runColumns} from ticketsmith.runs
     where (target ? 'mergeRequest' and target ->> 'repository' = $1 and target -> 'mergeRequest' ->> 'iid' = $2)
        or (subject = $3 and target ->> 'repository' = $1)
     order by created_at desc, id desc limit 50`,
    [repository, String(iid), ticket],
  );
  return rows.map(toRun);
}

/** The newest 20 ended runs of a workflow on the merge request or the ticket of a run, without that run itself; newest first. */
export async function listEarlierRuns(db: Queryable, run: Run, workflow: string): Promise<Run[]> {
  const { repository, mergeRequest, ticket } = run.target;
  const { rows } = await db.query<RunRow>(
    `select ${runColumns} from ticketsmith.runs
     where workflow = $1 and id <> $2 and ended_at is not null and target ->> 'repository' = $3
       and ((target ? 'mergeRequest' and target -> 'mergeRequest' ->> 'iid' = $4)
         or (not target ? 'mergeRequest' and ticket = $5))
     order by created_at desc, id desc limit 20`,
    [workflow, run.id, repository, mergeRequest === undefined ? null : String(mergeRequest.iid), ticket],
  );
  return rows.map(toRun);
}

/** How often people were answered: in one thread within a day, and on the merge request within an hour. */
export async function countAnswers(
  db: Queryable,
  {
    repository,
    iid,
    discussionId,
  }: { readonly repository: string; readonly iid: number; readonly discussionId: string | null },
): Promise<{ thread: number; hour: number }> {
  const { rows } = await db.query<{ thread: number; hour: number }>(
    `select count(*) filter (where target -> 'request' ->> 'discussionId' = $3)::int as thread,
            count(*) filter (where created_at > now() - interval '1 hour')::int as hour
     from ticketsmith.runs
     where target ? 'mergeRequest' and target ->> 'repository' = $1 and target -> 'mergeRequest' ->> 'iid' = $2
       and target ? 'request' and created_at > now() - interval '1 day'`,
    [repository, String(iid), discussionId],
  );
  return rows[0] ?? { thread: 0, hour: 0 };
}
