/** Protected branches: who may do what to which branch (docs.gitlab.com/user/project/repository/branches/protected). */
import { levelOf } from "./lookups.ts";
import type { Project, ProtectedBranch, User } from "./world.ts";

/** Rules that a branch matches. `*` stands for any characters, slashes included. */
export function rulesFor(project: Project, branch: string): ProtectedBranch[] {
  return project.protectedBranches.filter(({ name }) => {
    const source = name.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${source.join(".*")}$`, "s").test(branch);
  });
}

const DEVELOPER = 30;

/** Level 0 in a rule is "No one". */
const reaches = (level: number, wanted: number): boolean => wanted !== 0 && level >= wanted;

/** Of several rules the most permissive one counts. */
export function mayPush(project: Project, user: User, branch: string): boolean {
  const level = levelOf(user, project);
  const rules = rulesFor(project, branch);
  if (level < DEVELOPER || rules.length === 0) return level >= DEVELOPER;
  return rules.some((rule) => reaches(level, rule.pushLevel) || rule.pushUserIds.includes(user.id));
}

/** The same for merging into it. */
export function mayMergeInto(project: Project, user: User, branch: string): boolean {
  const level = levelOf(user, project);
  const rules = rulesFor(project, branch);
  if (level < DEVELOPER || rules.length === 0) return level >= DEVELOPER;
  return rules.some((rule) => reaches(level, rule.mergeLevel));
}

/** Force pushes have to be allowed by every rule that matches. */
export function mayForcePush(project: Project, branch: string): boolean {
  return rulesFor(project, branch).every((rule) => rule.allowForcePush);
}
