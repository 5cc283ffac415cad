/** Where a repository's packages may come from: the section `policy.install` of the policy file. */
import { z } from "zod";

export const InstallPolicy = z.strictObject({
  hosts: z
    .array(
      z
        .string()
        .regex(
          /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?$/,
          "must be a host, or host:port, e.g. registry.npmjs.org",
        ),
    )
    .default([])
    .describe(
      "Package registries: host (https) or host:port. With none, nothing is installed. npm needs registry.npmjs.org; pip needs pypi.org and files.pythonhosted.org",
    ),
  seconds: z.number().int().min(10).max(3600).default(600).describe("Longest time that one installation may take"),
  megabytes: z
    .number()
    .int()
    .min(10)
    .max(16_384)
    .default(1024)
    .describe("Largest installation; it is made in memory and then kept on the disk"),
});
