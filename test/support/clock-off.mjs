// Preloaded into an agent (and by it into its data planes): a host whose clock is off by the milliseconds of `?ms=` behind its name.
const off = Number(process.execArgv.join(' ').match(/clock-off\.mjs\?ms=(-?\d+)/)?.[1] ?? 0);
const now = Date.now.bind(Date);
globalThis.Date = class extends Date {
  constructor(...given) {
    if (given.length === 0) super(now() + off);
    else super(...given);
  }

  static now() {
    return now() + off;
  }
};
