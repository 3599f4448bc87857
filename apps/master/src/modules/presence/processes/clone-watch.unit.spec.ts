import { describe, expect, it } from 'vitest';
import { CloneWatch } from './clone-watch.ts';

const heard = (...processes: readonly (string | undefined)[]) => {
  const watch = new CloneWatch();
  return processes.map((process) => watch.saw({ key: 'node_a', instance: 'i', hostname: `host of ${process}`, ...(process === undefined ? {} : { process }) }));
};
const two = { process: 'b', hostname: 'host of b' };

describe('copies of one state directory', () => {
  it('one agent, started again however often, is one', () => {
    expect(heard('a', 'a', 'b', 'b', 'c', 'c', 'd').filter(Boolean)).toEqual([]);
  });
  it('two that speak in turns are two, and it is the younger that is named, whoever speaks', () => {
    expect(heard('a', 'b', 'a', 'b', 'b', 'a')).toEqual([undefined, undefined, two, two, undefined, two]);
  });
  it('of different nodes or state directories they have nothing to do with each other', () => {
    const watch = new CloneWatch();
    for (const [key, instance, process] of [['n', 'i', 'a'], ['n', 'j', 'b'], ['m', 'i', 'c'], ['n', 'i', 'a'], ['n', 'j', 'b'], ['m', 'i', 'c']] as const) {
      expect(watch.saw({ key, instance, process, hostname: 'h' })).toBeUndefined();
    }
  });
  it('an agent that does not say its process is not judged, and an old start is forgotten', () => {
    expect(heard(undefined, undefined)).toEqual([undefined, undefined]);
    expect(heard(...Array.from({ length: 40 }, (_, i) => `p${i}`), 'p0', 'p39').filter(Boolean)).toMatchObject([{ process: 'p0' }]);
  });
});
