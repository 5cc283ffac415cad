/** Which roles and groups somebody is in. */
import { Permanent } from "../../domain/errors.ts";
import { Groups, Role, RoleAddresses } from "./answers.ts";
import { checkedProject, type Site } from "./site.ts";

type Group = { name?: string | undefined; groupId?: string | null | undefined };

/** null when there is no such account. */
async function readGroups(site: Site, accountId: string): Promise<Group[] | null> {
  try {
    return await site.call(`read groups of account ${accountId}`, Groups, () =>
      site.jira.users.getUserGroups({ accountId }),
    );
  } catch (error) {
    if (error instanceof Permanent && (error.status === 404 || error.status === 400)) return null;
    throw error;
  }
}

/** Ids are compared where both sides have one: group names can be changed and used again. */
function isActorGroup(
  actor: { groupId?: string | null | undefined; name?: string | null | undefined },
  groups: Group[],
) {
  return groups.some((group) =>
    actor.groupId && group.groupId ? actor.groupId === group.groupId : !!actor.name && actor.name === group.name,
  );
}

/**
 * Names of the project's roles that the account holds (itself or through a group), and of its groups.
 * An account that does not exist has none. Throws Permanent when the bot may not read roles (it needs to administer the project).
 */
export async function readMembership(
  site: Site,
  accountId: string,
  project: string,
): Promise<{ roles: string[]; groups: string[] }> {
  const key = checkedProject(project);
  if (accountId === "") return { roles: [], groups: [] };
  await site.identity();
  const groups = await readGroups(site, accountId);
  if (groups === null) return { roles: [], groups: [] };
  const addresses = await site.call(`read roles of project ${key}`, RoleAddresses, () =>
    site.jira.projectRoles.getProjectRoles({ projectIdOrKey: key }),
  );
  const roles = await Promise.all(
    Object.entries(addresses).map(async ([name, address]) => {
      const id = Number(/\/role\/(\d+)$/.exec(address)?.[1]);
      if (!Number.isSafeInteger(id)) return [];
      const { actors } = await site.call(`read role ${name} of project ${key}`, Role, () =>
        site.jira.projectRoles.getProjectRole({ projectIdOrKey: key, id }),
      );
      const holds = (actors ?? []).some(
        ({ actorUser, actorGroup }) =>
          actorUser?.accountId === accountId || (actorGroup ? isActorGroup(actorGroup, groups) : false),
      );
      return holds ? [name] : [];
    }),
  );
  return { roles: roles.flat(), groups: groups.flatMap(({ name }) => (name === undefined ? [] : [name])) };
}
