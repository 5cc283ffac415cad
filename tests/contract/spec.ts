/** Holds requests against the official descriptions of the services that they went to. */
import type { ValidateFunction } from "ajv/dist/2020.js";
import type { LoggedRequest } from "../../src/stand-ins/server.ts";
import { hasDescriptions, readDescriptions, type Service } from "./descriptions.ts";
import { exemptions } from "./exemptions.ts";
import { compile, explain } from "./json-schema.ts";
import { indexOperations, type Operation, type Operations } from "./operations.ts";
import { checkParameters } from "./parameters.ts";

export interface Contracts {
  /** What a request does that its description does not allow, known gaps of the descriptions left out. One line each. */
  check(service: Service, request: LoggedRequest): string[];
  /** The same with the known gaps. */
  checkWithoutExemptions(service: Service, request: LoggedRequest): string[];
}

const basicOrBearer = /^(Basic|Bearer) \S+$/;

/** Credentials that each service reads, at least one of them (reference pages "Authentication" of each API). */
const credentials: Readonly<Record<Service, Readonly<Record<string, RegExp>>>> = {
  jira: { authorization: basicOrBearer },
  confluence: { authorization: basicOrBearer },
  gitlab: { "private-token": /^\S+$/, "job-token": /^\S+$/, authorization: basicOrBearer },
  openai: { authorization: /^Bearer \S+$/ },
};

function checkCredentials(service: Service, { headers }: LoggedRequest): string[] {
  const wanted = Object.entries(credentials[service]);
  if (wanted.some(([name, form]) => form.test(headers[name] ?? ""))) return [];
  return [`no credentials: none of ${wanted.map(([name]) => name).join(", ")}`];
}

const validators = new Map<unknown, ValidateFunction>();

function checkBody({ headers, body }: LoggedRequest, { body: described, description }: Operation): string[] {
  // Long bodies that are not JSON are not kept in the log.
  const isSent = body !== undefined || Number(headers["content-length"] ?? 0) > 0;
  if (!isSent) return described?.required ? ["the body is missing"] : [];
  if (described === null) return ["a body where none is described"];
  const type = (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const known = Object.keys(described.content);
  const name = known.find((one) => one === type) ?? known.find((one) => one === "*/*");
  if (name === undefined || type === "") return [`content-type ${type || "(none)"} is not among ${known.join(", ")}`];
  const schema = described.content[name];
  if (type !== "application/json" || schema === undefined) return [];
  const validate = validators.get(schema) ?? compile(description.document, schema);
  validators.set(schema, validate);
  return validate(body) ? [] : explain(validate.errors).map((line) => `body ${line}`);
}

function createContracts(): Contracts {
  const indexes = new Map<Service, Operations>();

  function operationsOf(service: Service): Operations {
    const made = indexes.get(service) ?? indexOperations(readDescriptions(service));
    indexes.set(service, made);
    return made;
  }

  function rules(service: Service, request: LoggedRequest): string[] {
    const found = operationsOf(service).find(request.method, request.path);
    if (found === undefined) return ["no such path is described"];
    if (found === null) return ["the path is described, but not with this method"];
    return [...checkParameters(request, found), ...checkBody(request, found.operation)];
  }

  function broken(service: Service, request: LoggedRequest): { call: string; rule: string }[] {
    const call = `${request.method} ${request.path}`;
    return [...checkCredentials(service, request), ...rules(service, request)].map((rule) => ({ call, rule }));
  }

  return {
    check(service, request) {
      return broken(service, request)
        .filter(({ call, rule }) => {
          return !exemptions.some((one) => one.service === service && one.call.test(call) && one.rule.test(rule));
        })
        .map(({ call, rule }) => `${service}: ${call}: ${rule}`);
    },
    checkWithoutExemptions(service, request) {
      return broken(service, request).map(({ call, rule }) => `${service}: ${call}: ${rule}`);
    },
  };
}

let contracts: Contracts | null | undefined;

/**
 * The official descriptions, each read when it is first needed; null when they are not there (they lie beside the project,
 * in `../shared/specs`).
 */
export function loadContracts(): Contracts | null {
  contracts ??= hasDescriptions() ? createContracts() : null;
  return contracts;
}
