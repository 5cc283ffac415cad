/**
 * Loaded with `--import` into a bot: its clock is wrong by `CLOCK_SHIFT_MS`, and every SIGUSR2 sets it anew, an hour ahead, an hour
 * back, right. Timers and `performance.now` go on as they do when a real clock is set.
 */
const RealDate = Date;
const hour = 3_600_000;
let shift = Number(process.env.CLOCK_SHIFT_MS ?? 0);
const jumps = [hour, -hour, 0];

process.on("SIGUSR2", () => {
  shift = jumps.shift() ?? 0;
  jumps.push(shift);
});

globalThis.Date = new Proxy(RealDate, {
  construct: (target, given, self) =>
    Reflect.construct(target, given.length === 0 ? [RealDate.now() + shift] : given, self) as Date,
  apply: (target) => new target(RealDate.now() + shift).toString(),
  get: (target, name) => (name === "now" ? () => RealDate.now() + shift : Reflect.get(target, name)),
});
