/** What counts as a command in a comment, and what does not. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commandNames, parseCommand, parseRaise } from "../../src/events/command.ts";

describe("a command", () => {
  test.each([
    ["@ticketsmith stop", "stop", ""],
    ["/ticketsmith stop", "stop", ""],
    ["  @Ticketsmith   STOP  now please ", "stop", "now please"],
    ["@ticketsmith: budget +2", "budget", "+2"],
    ["@ticketsmith, budget +2", "budget", "+2"],
    ["\n\n@ticketsmith budget +2\nThanks!", "budget", "+2"],
    ["@ticketsmith budget \\+2", "budget", "+2"],
    ["{{@ticketsmith budget +2}}", "budget", "+2"],
    ["`@ticketsmith budget +2`", "budget", "+2"],
    ["\u200B@ticketsmith\u00A0budget +2", "budget", "+2"],
    ["{quote}@ticketsmith stop{quote}\n\n@ticketsmith budget +2", "budget", "+2"],
    ["{quote}\n@ticketsmith stop\n{quote}\n@ticketsmith budget +2", "budget", "+2"],
    ["bq. @ticketsmith stop\n@ticketsmith budget +2", "budget", "+2"],
    ["> @ticketsmith stop\n> really\n\n@ticketsmith budget +2", "budget", "+2"],
    ["@ticketsmith", "help", ""],
    ["@ticketsmith ask why is it *red*?", "ask", "why is it *red*?"],
  ])("%j", (body, name, argument) => {
    expect(parseCommand(body)).toEqual({ name, argument });
  });

  test.each([
    ["@ticketsmith budgte +2", "budgte", "budget"],
    ["@ticketsmith stopp", "stopp", "stop"],
    ["@ticketsmith thanks!", "thanks!", null],
    ["@ticketsmith __proto__", "__proto__", null],
  ])("that is none of ours: %j", (body, unknown, nearest) => {
    expect(parseCommand(body)).toEqual({ unknown, nearest });
  });

  test.each([
    [""],
    ["stop"],
    ["Thanks, @ticketsmith stop"],
    ["I do not know.\n@ticketsmith stop"],
    ["> @ticketsmith stop"],
    ["> a quote\n@ticketsmith stop"],
    ["{quote}@ticketsmith stop"],
    ["bq. @ticketsmith stop"],
    ["{code}\n@ticketsmith stop\n{code}"],
    ["@ticketsmith-test stop"],
    ["@ticketsmithery stop"],
    ["[~accountid:5b10-bot] stop"],
    ["* @ticketsmith stop"],
  ])("is not: %j", (body) => {
    expect(parseCommand(body)).toBeNull();
  });

  test("nothing that people write breaks it", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.constantFrom("", "@ticketsmith ", "> ", "{quote}"),
        (text, before) => {
          const command = parseCommand(before + text);
          if (command !== null && "name" in command) expect(commandNames).toContain(command.name);
        },
      ),
    );
    const started = performance.now();
    parseCommand("{quote}".repeat(50_000));
    parseCommand(`@ticketsmith ${" ".repeat(200_000)}`);
    parseCommand(">".repeat(200_000));
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe("how much more", () => {
  test.each([
    ["+2", 2],
    ["+ 2.50", 2.5],
    ["+2,5", 2.5],
    ["+$3", 3],
    ["+3 USD", 3],
    ["+3$", 3],
  ])("%j", (argument, usd) => {
    expect(parseRaise(argument)).toBe(usd);
  });

  test.each([
    ["2"],
    [""],
    ["-2"],
    ["+0"],
    ["+"],
    ["+2.555"],
    ["+1e9"],
    ["+99999999"],
    ["+two"],
    ["+2 please"],
    ["+Infinity"],
  ])("not %j", (argument) => {
    expect(parseRaise(argument)).toBeNull();
  });
});
