import { setImmediate as tick } from "node:timers/promises";
import { expect, it } from "vitest";
import { createLine } from "../../src/workspace/line.ts";

const never = new AbortController().signal;

it("lets only so many in at once, in the order of asking, and lets others in when one fails", async () => {
  const inLine = createLine(2);
  const began: number[] = [];
  const doors: (() => void)[] = [];
  const all = [0, 1, 2, 3, 4].map((number) =>
    inLine(never, async () => {
      began.push(number);
      await new Promise<void>((resolve) => doors.push(resolve));
      if (number === 1) throw new Error("one");
      return number;
    }).catch((error: Error) => error.message),
  );
  for (const expected of [
    [0, 1],
    [0, 1, 2],
    [0, 1, 2, 3],
    [0, 1, 2, 3, 4],
  ]) {
    await tick();
    expect(began).toEqual(expected);
    doors.shift()?.();
  }
  for (const open of doors) open();
  expect(await Promise.all(all)).toEqual([0, "one", 2, 3, 4]);
});

it("whoever is cancelled while waiting leaves the line", async () => {
  const inLine = createLine(1);
  let open = (): void => {};
  const first = inLine(never, () => new Promise<void>((resolve) => (open = resolve)));
  const cancel = new AbortController();
  const second = inLine(cancel.signal, async () => "second");
  const third = inLine(never, async () => "third");
  cancel.abort(new Error("cancelled"));
  await expect(second).rejects.toThrow("cancelled");
  await expect(inLine(AbortSignal.abort(new Error("late")), async () => 1)).rejects.toThrow("late");
  open();
  await first;
  expect(await third).toBe("third");
  expect(await inLine(never, async () => "free")).toBe("free");
});
