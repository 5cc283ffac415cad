/** What a call costs. */
import type { ModelRequest, Usage } from "../domain/ports.ts";

/** US dollars per million tokens. Without `cachedPerMillion` cached tokens cost as much as others. */
export interface Price {
  readonly inputPerMillion: number;
  readonly cachedPerMillion?: number | undefined;
  readonly outputPerMillion: number;
}

/** Cost of a call in US dollars. */
export function costOf(usage: Usage, price: Price): number {
  const fresh = usage.inputTokens - usage.cachedTokens;
  const cached = usage.cachedTokens * (price.cachedPerMillion ?? price.inputPerMillion);
  return (fresh * price.inputPerMillion + cached + usage.outputTokens * price.outputPerMillion) / 1_000_000;
}

/**
 * What a call may cost before it is made: with the dearest of the models that a role may get an answer from, and nothing cached.
 * @returns US dollars; 0 when none of them has a price
 */
export function createEstimate(options: {
  /** The model for every role that has none of its own. */
  readonly model: string;
  readonly roles?: Readonly<Record<string, { readonly model?: string; readonly fallbacks?: readonly string[] }>>;
  readonly prices: Readonly<Record<string, Price>>;
}): (role: string, inputTokens: number, outputTokens: number) => number {
  return (role, inputTokens, outputTokens) => {
    const { model = options.model, fallbacks = [] } = options.roles?.[role] ?? {};
    const usage: Usage = { inputTokens, cachedTokens: 0, outputTokens, estimated: true };
    const costs = [model, ...fallbacks].map((name) => {
      const price = options.prices[name];
      return price === undefined ? 0 : costOf(usage, price);
    });
    return Math.max(...costs);
  };
}

/** Usage as a server reported it. Undefined where the report makes no sense (no request has zero tokens). */
export function reportedUsage(input: number, cached: number, output: number): Usage | undefined {
  if (!(input > 0 && output >= 0)) return undefined;
  const cachedTokens = Math.min(input, Math.max(0, cached));
  return { inputTokens: input, cachedTokens, outputTokens: output, estimated: false };
}

/** Usage of a call whose server did not report it: four characters are about one token. `written` is all that the model wrote. */
export function estimateUsage(request: ModelRequest, written: string): Usage {
  const read = request.messages.map((message) =>
    message.role === "assistant" ? message.text + JSON.stringify(message.toolCalls) : message.text,
  );
  const characters = read.join("").length + (request.tools.length > 0 ? JSON.stringify(request.tools).length : 0);
  return {
    inputTokens: Math.ceil(characters / 4),
    cachedTokens: 0,
    outputTokens: Math.ceil(written.length / 4),
    estimated: true,
  };
}
