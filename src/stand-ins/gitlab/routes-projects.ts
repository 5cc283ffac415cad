/** Users, projects and members. */
import type { Route } from "../server.ts";
import { levelOf } from "./lookups.ts";
import { type Call, inProject, integer, notFound, type ProjectCall, paginate, signedIn, text } from "./request.ts";
import { fullUserShape, projectShape, userShape } from "./shapes.ts";
import type { User, World } from "./world.ts";

const ok = (body: unknown, status = 200) => ({ status, body });
const project = "/api/v4/projects/:id";

/** Routes about people and projects. */
export function projectRoutes(world: World): Route[] {
  const shaped = async ({ project, user }: ProjectCall) =>
    projectShape(world, project, user, (await project.repository.branches()).size === 0);
  const member = ({ project }: ProjectCall, user: User) => ({
    ...userShape(world, user),
    access_level: levelOf(user, project),
    created_at: project.createdAt.toISOString(),
    expires_at: null,
    membership_state: "active",
  });
  const membersOf = (call: ProjectCall): User[] =>
    // A blocked account stays a member, with no rights.
    world.users.filter((user) => levelOf({ ...user, state: "active" }, call.project) > 0);
  const showMember = inProject(world, 10, (call) => {
    const found = membersOf(call).find((user) => user.id === integer(call.route.user_id, "user_id"));
    if (found === undefined) throw notFound();
    return ok(member(call, found));
  });
  const listMembers = inProject(world, 10, (call) =>
    paginate(
      call,
      membersOf(call).map((user) => member(call, user)),
    ),
  );
  const version = signedIn(world, () =>
    ok({
      version: world.version,
      revision: "0a1b2c3d",
      kas: { enabled: false, externalUrl: null, version: null },
      enterprise: false,
    }),
  );
  return [
    ["GET", "/api/v4/user", signedIn(world, ({ user }) => ok({ ...fullUserShape(world, user), email: user.email }))],
    ["GET", "/api/v4/users", signedIn(world, (call) => paginate(call, findUsers(call)))],
    [
      "GET",
      "/api/v4/users/:user_id",
      signedIn(world, ({ route }) => {
        const user = world.users.find((candidate) => String(candidate.id) === route.user_id);
        if (user === undefined) throw notFound("User");
        return ok(fullUserShape(world, user));
      }),
    ],
    ["GET", "/api/v4/version", version],
    ["GET", "/api/v4/metadata", version],
    ["GET", "/api/v4/personal_access_tokens/self", signedIn(world, ({ user }) => ok(tokenShape(user)))],
    [
      "GET",
      "/api/v4/projects",
      signedIn(world, (call) => {
        const visible = world.projects.filter((candidate) => levelOf(call.user, candidate) > 0);
        return paginate(
          call,
          visible.map((candidate) => projectShape(world, candidate, call.user, false)),
        );
      }),
    ],
    ["GET", project, inProject(world, 10, async (call) => ok(await shaped(call)))],
    ["GET", `${project}/members`, listMembers],
    ["GET", `${project}/members/all`, listMembers],
    ["GET", `${project}/members/:user_id`, showMember],
    ["GET", `${project}/members/all/:user_id`, showMember],
  ];
}

function findUsers({ world, params }: Call): unknown[] {
  const wanted = text(params, "username");
  return world.users
    .filter((user) => wanted === undefined || user.username === wanted)
    .map((user) => userShape(world, user));
}

function tokenShape(user: User): unknown {
  const inAYear = new Date(Date.now() + 365 * 24 * 3600 * 1000);
  return {
    id: user.id,
    name: "ticketsmith",
    revoked: false,
    scopes: ["api", "write_repository"],
    user_id: user.id,
    active: true,
    expires_at: inAYear.toISOString().slice(0, 10),
  };
}
