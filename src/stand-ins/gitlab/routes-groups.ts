/** Groups and who is in them. */
import type { Route } from "../server.ts";
import { groupLevelOf, levelOf } from "./lookups.ts";
import { type Call, integer, notFound, paginate, signedIn } from "./request.ts";
import { userShape } from "./shapes.ts";
import type { Group, User, World } from "./world.ts";

const one = "/api/v4/groups/:id";

/** Routes of groups. A group is seen by its members and by those of the projects in it; for everybody else it is not there. */
export function groupRoutes(world: World): Route[] {
  const sees = (user: User, { path }: Group): boolean =>
    groupLevelOf(user, path) > 0 ||
    world.projects.some((project) => project.path.startsWith(`${path}/`) && levelOf(user, project) > 0);
  const groupAt = ({ route, user }: Call): Group => {
    const id = route.id ?? "";
    const group = world.groups.find(({ id: number, path }) => String(number) === id || path === id);
    if (group === undefined || !sees(user, group)) throw notFound("Group");
    return group;
  };
  const shape = (user: User, level: number) => ({
    ...userShape(world, user),
    access_level: level,
    created_at: "2026-01-05T09:00:00.000Z",
    expires_at: null,
    membership_state: "active",
  });
  /** Own members, or with those of the groups above. */
  const levelIn = (user: User, { path }: Group, inherited: boolean): number =>
    inherited ? groupLevelOf(user, path) : (user.groupLevels[path] ?? 0);
  const list = (inherited: boolean) =>
    signedIn(world, (call) => {
      const group = groupAt(call);
      const members = world.users.filter((user) => levelIn(user, group, inherited) > 0);
      return paginate(
        call,
        members.map((user) => shape(user, levelIn(user, group, inherited))),
      );
    });
  const show = (inherited: boolean) =>
    signedIn(world, (call) => {
      const group = groupAt(call);
      const wanted = integer(call.route.user_id, "user_id");
      const user = world.users.find(({ id }) => id === wanted);
      // A blocked account stays a member.
      const level = user === undefined ? 0 : levelIn({ ...user, state: "active" }, group, inherited);
      if (user === undefined || level === 0) throw notFound();
      return { status: 200, body: shape(user, level) };
    });
  return [
    [
      "GET",
      one,
      signedIn(world, (call) => {
        const { id, path } = groupAt(call);
        const name = path.split("/").at(-1);
        return {
          status: 200,
          body: {
            id,
            name,
            path: name,
            full_path: path,
            visibility: "private",
            web_url: `${world.url}/groups/${path}`,
          },
        };
      }),
    ],
    ["GET", `${one}/members`, list(false)],
    ["GET", `${one}/members/all`, list(true)],
    ["GET", `${one}/members/:user_id`, show(false)],
    ["GET", `${one}/members/all/:user_id`, show(true)],
  ];
}
