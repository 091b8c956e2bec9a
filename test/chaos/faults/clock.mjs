// Preloaded with `--import`: the clock of this process is off by CHAOS_CLOCK_SHIFT_MS. Timers are
// not shifted, as on a machine whose clock is wrong.
const shiftMs = Number(process.env.CHAOS_CLOCK_SHIFT_MS ?? 0);
const RealDate = Date;

if (shiftMs !== 0) {
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [RealDate.now() + shiftMs] : args, newTarget),
    apply: () => new RealDate(RealDate.now() + shiftMs).toString(),
    get: (target, property) =>
      property === 'now' ? () => RealDate.now() + shiftMs : Reflect.get(target, property),
  });
}
