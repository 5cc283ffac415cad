/** Who somebody is, and how far they may go. */
import { GroupMembers, ProjectMembers, Users } from "@gitbeaker/rest";
import { z } from "zod";
import { Permanent } from "../../domain/errors.ts";
import type { CodeReader, ReviewReader } from "../../domain/ports.ts";
import type { Resource } from "./resource.ts";
import { checked, MemberAnswer } from "./schemas.ts";

/** `bot` is true for the accounts of project and group tokens, and for service accounts (User::BOT_USER_TYPES). */
const PersonAnswer = z.object({
  id: z.number().int(),
  username: z.string(),
  bot: z.boolean().nullish(),
});

/** User names that GitLab makes itself (docs.gitlab.com, "Bot users for projects", "Service accounts"). */
const botName = /^(?:project|group)_\d+_bot(?:[_\d]|$)|^service_account_(?:group_|project_)?/i;

/** Access level of an active member, 0 of everybody else. */
function levelOf(answer: unknown): number {
  const member = checked(MemberAnswer, answer, "member");
  const counts = (member.state ?? "active") === "active" && (member.membership_state ?? "active") === "active";
  return counts ? member.access_level : 0;
}

type People = Pick<CodeReader, "readAccessLevel"> & Pick<ReviewReader, "readPerson" | "isInGroup">;

/** Throws as all of the adapter does: Retryable or Permanent. */
export function createPeople(resource: Resource): People {
  const users = new Users(resource);
  const members = new ProjectMembers(resource);
  const groups = new GroupMembers(resource);

  async function readAccessLevel({ repository, userId }: { repository: string; userId: string }): Promise<number> {
    try {
      return levelOf(await members.show(repository, Number(userId), { includeInherited: true }));
    } catch (error) {
      // Not a member, or a project that we cannot see: either way nobody may do anything there.
      if (error instanceof Permanent && error.status === 404) return 0;
      throw error;
    }
  }

  return {
    readAccessLevel,

    async readPerson({ repository, userId }) {
      const person = checked(PersonAnswer, await users.show(Number(userId)), "user");
      const level = await readAccessLevel({ repository, userId });
      const bot = person.bot === true || botName.test(person.username);
      return { id: String(person.id), name: person.username, level, bot };
    },

    async isInGroup({ group, userId }) {
      try {
        return levelOf(await groups.show(group, Number(userId), { includeInherited: true })) > 0;
      } catch (error) {
        // No member, no such group, or none that we may look into.
        if (error instanceof Permanent && (error.status === 404 || error.status === 403)) return false;
        throw error;
      }
    },
  };
}
