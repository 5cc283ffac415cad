/** Labels and protected branches. */
import type { Route } from "../server.ts";
import {
  bool,
  inProject,
  integer,
  notFound,
  type ProjectCall,
  paginate,
  Refusal,
  requireParams,
  text,
} from "./request.ts";
import { labelShape } from "./shapes.ts";
import type { Label, ProtectedBranch, World } from "./world.ts";

const ok = (body: unknown, status = 200) => ({ status, body });
const project = "/api/v4/projects/:id";

/** Routes of what people set up in a project. */
export function settingsRoutes(world: World): Route[] {
  const protectedShape = (rule: ProtectedBranch) => ({
    id: rule.id,
    name: rule.name,
    push_access_levels: [
      {
        id: rule.id,
        access_level: rule.pushLevel,
        access_level_description: "",
        deploy_key_id: null,
        user_id: null,
        group_id: null,
      },
      // GitLab fills in Maintainers (40) where the right is a person's.
      ...rule.pushUserIds.map((id) => ({
        id: rule.id + id,
        access_level: 40,
        access_level_description: "",
        deploy_key_id: null,
        user_id: id,
        group_id: null,
      })),
    ],
    merge_access_levels: [{ id: rule.id, access_level: rule.mergeLevel, access_level_description: "" }],
    allow_force_push: rule.allowForcePush,
    code_owner_approval_required: false,
  });
  const findLabel = (call: ProjectCall): Label => {
    const wanted = call.route.label ?? "";
    const label = call.project.labels.find((candidate) => candidate.name === wanted || String(candidate.id) === wanted);
    if (label === undefined) throw notFound("Label");
    return label;
  };
  const findRule = (call: ProjectCall): ProtectedBranch => {
    const rule = call.project.protectedBranches.find((candidate) => candidate.name === call.route.name);
    if (rule === undefined) throw notFound();
    return rule;
  };
  return [
    ["GET", `${project}/labels`, inProject(world, 10, (call) => paginate(call, call.project.labels.map(labelShape)))],
    [
      "POST",
      `${project}/labels`,
      inProject(world, 20, ({ params, project }) => {
        requireParams(params, "name", "color");
        const name = text(params, "name") ?? "";
        if (project.labels.some((label) => label.name === name))
          throw new Refusal(409, { message: "Label already exists" });
        const label = {
          id: world.nextId(),
          name,
          color: text(params, "color") ?? "",
          description: text(params, "description") ?? null,
        };
        project.labels.push(label);
        return ok(labelShape(label), 201);
      }),
    ],
    [
      "PUT",
      `${project}/labels/:label`,
      inProject(world, 20, (call) => {
        const label = findLabel(call);
        label.name = text(call.params, "new_name") ?? label.name;
        label.color = text(call.params, "color") ?? label.color;
        label.description = text(call.params, "description") ?? label.description;
        return ok(labelShape(label));
      }),
    ],
    [
      "DELETE",
      `${project}/labels/:label`,
      inProject(world, 20, (call) => {
        call.project.labels.splice(call.project.labels.indexOf(findLabel(call)), 1);
        return { status: 204 };
      }),
    ],
    [
      "GET",
      `${project}/protected_branches`,
      inProject(world, 20, (call) => paginate(call, call.project.protectedBranches.map(protectedShape))),
    ],
    ["GET", `${project}/protected_branches/:name`, inProject(world, 20, (call) => ok(protectedShape(findRule(call))))],
    [
      "POST",
      `${project}/protected_branches`,
      inProject(world, 40, ({ params, project }) => {
        requireParams(params, "name");
        const name = text(params, "name") ?? "";
        if (project.protectedBranches.some((rule) => rule.name === name)) {
          throw new Refusal(409, { message: `Protected branch '${name}' already exists` });
        }
        const rule: ProtectedBranch = {
          id: world.nextId(),
          name,
          pushLevel: integer(params.push_access_level ?? 40, "push_access_level"),
          pushUserIds: [],
          mergeLevel: integer(params.merge_access_level ?? 40, "merge_access_level"),
          allowForcePush: bool(params, "allow_force_push") ?? false,
        };
        project.protectedBranches.push(rule);
        return ok(protectedShape(rule), 201);
      }),
    ],
    [
      "DELETE",
      `${project}/protected_branches/:name`,
      inProject(world, 40, (call) => {
        call.project.protectedBranches.splice(call.project.protectedBranches.indexOf(findRule(call)), 1);
        return { status: 204 };
      }),
    ],
  ];
}
