/**
 * GitLab switches a webhook off after a few failures and tells nobody who would hear it; from then on no comment and no pipeline
 * reaches us. So we look at the webhooks that lead to us, and switch on again what was switched off: a test that we answer does it.
 * No ledger row for that: nobody sees it, and twice is as good as once.
 */
import { messageOf, Permanent } from "../domain/errors.ts";
import type { HookKeeper } from "../domain/ports.ts";
import type { Hook } from "../domain/ticket.ts";
import type { Log } from "../platform/log.ts";

/**
 * What is known of a repository's webhook:
 *   working    it is sent
 *   missing    no webhook of the project leads to us (one of its group may)
 *   unseen     our token may not look at webhooks
 *   off        it is switched off, and the test did not switch it on
 */
export type HookHealth = "working" | "missing" | "unseen" | "off";

export interface HookWatch {
  /** Looks at every repository's webhook and mends what is off. @throws Retryable when GitLab does not answer */
  look(): Promise<void>;
  /** What the last look found, by repository. */
  health(): ReadonlyMap<string, HookHealth>;
}

export interface HookWatchOptions {
  readonly hooks: HookKeeper;
  readonly repositories: readonly string[];
  /** Address under which GitLab reaches us. */
  readonly publicUrl: string;
  /** Look, but send no test. */
  readonly dryRun: boolean;
  readonly log: Log;
}

/** The same place, however it is spelt. */
function sameAddress(one: string, other: string): boolean {
  const [a, b] = [URL.parse(one), URL.parse(other)].map(
    (url) => url && `${url.origin}${url.pathname.replace(/\/+$/, "")}`,
  );
  return a != null && a === b;
}

/** Makes the watch. Every finding is logged once, until it changes. */
export function createHookWatch(options: HookWatchOptions): HookWatch {
  const { hooks, log, dryRun } = options;
  const address = `${options.publicUrl.replace(/\/+$/, "")}/webhooks/gitlab`;
  const known = new Map<string, HookHealth>();

  function note(repository: string, health: HookHealth, tell: () => void): void {
    if (known.get(repository) !== health) tell();
    known.set(repository, health);
  }

  async function mend(repository: string, hook: Hook): Promise<void> {
    const about = { repository, hook: hook.id, state: hook.state };
    try {
      if (dryRun) throw new Permanent("no test was sent: dry run");
      await hooks.testHook({ repository, hookId: hook.id });
    } catch (error) {
      if (!(error instanceof Permanent)) throw error;
      return note(repository, "off", () =>
        log.warn(
          "GitLab has switched the webhook off and could not reach us with a test: see that it can, then press Test in the project's settings",
          { ...about, address, reason: messageOf(error) },
        ),
      );
    }
    known.set(repository, "working");
    log.warn(
      "GitLab had switched the webhook off after failures; it is on again, what happened meanwhile was not sent",
      about,
    );
  }

  async function lookAt(repository: string): Promise<void> {
    let all: Hook[];
    try {
      all = await hooks.listHooks(repository);
    } catch (error) {
      if (!(error instanceof Permanent)) throw error;
      return note(repository, "unseen", () =>
        log.info("the webhook of a repository cannot be watched: that takes a token with role Maintainer", {
          repository,
          reason: messageOf(error),
        }),
      );
    }
    const ours = all.filter(({ url }) => sameAddress(url, address));
    const off = ours.find(({ state }) => state !== "working");
    if (off !== undefined) return mend(repository, off);
    if (ours.length > 0) {
      return note(repository, "working", () => log.info("the webhook of a repository works", { repository }));
    }
    note(repository, "missing", () =>
      log.info("no webhook of the project leads here; fine when one of its group does", { repository, address }),
    );
  }

  return {
    async look() {
      for (const repository of new Set(options.repositories)) await lookAt(repository);
    },
    health: () => known,
  };
}
