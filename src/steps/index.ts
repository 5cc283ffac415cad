/** All steps there are. Workflows (config/workflows) name them. */
import { ask, describe, split } from "./advice/advice.ts";
import { address } from "./amend/address.ts";
import { amend } from "./amend/amend.ts";
import { respond } from "./amend/respond.ts";
import { look } from "./conversation/look.ts";
import { reply } from "./conversation/reply.ts";
import { document } from "./document.ts";
import { diagnose } from "./heal/diagnose.ts";
import { prove } from "./heal/prove.ts";
import { repair } from "./heal/repair.ts";
import { tell } from "./heal/tell.ts";
import { implement } from "./implement.ts";
import { plan } from "./plan.ts";
import { preflight } from "./preflight.ts";
import { publish } from "./publish.ts";
import { report } from "./report.ts";
import { post } from "./review/post.ts";
import { improve, review } from "./review/review.ts";
import { selfReview } from "./self-review.ts";
import type { Step } from "./step.ts";
import { understand } from "./understand.ts";
import { verify } from "./verify.ts";

export const steps: readonly Step[] = [
  reply,
  look,
  ask,
  describe,
  split,
  review,
  improve,
  post,
  diagnose,
  repair,
  prove,
  tell,
  preflight,
  understand,
  plan,
  implement,
  selfReview,
  verify,
  address,
  amend,
  respond,
  publish,
  document,
  report,
];
