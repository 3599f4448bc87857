import { expect, it } from 'vitest';
import { labelsOf, placementFlags } from './placement.ts';

it('labels are read as they are written, with equals signs and dots in them', () => {
  expect(labelsOf('site=vienna, tier=a=b,app/x.y=')).toEqual({ 'site': 'vienna', 'tier': 'a=b', 'app/x.y': '' });
  for (const bad of ['site', '=x', 'site=a,', '']) expect(() => labelsOf(bad), bad).toThrow(/key=value/);
});

it('flags become the fields of a task, and contradictions are refused', () => {
  expect(placementFlags({})).toEqual({});
  expect(placementFlags({ offline: 'skip', selector: 'a=b', place: 'all' })).toEqual({ offline: 'skip', selector: { a: 'b' }, place: 'all' });
  expect([placementFlags({ offline: 'wait', wait: '60' }), placementFlags({ wait: '2h' })]).toEqual([{ offline: 'wait', waitSeconds: 60 }, { waitSeconds: 7200 }]);
  expect(() => placementFlags({ node: ['x'], selector: 'a=b' })).toThrow(/not both/);
  expect(() => placementFlags({ wait: 'soon' })).toThrow(/length of time/);
});
