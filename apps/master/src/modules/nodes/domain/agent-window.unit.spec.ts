import { describe, expect, it } from 'vitest';
import { compareVersions, gateOf } from './agent-window.ts';

const window = { oldest: '0.2.0', newest: '0.3' };
const code = (version: string | undefined) => gateOf(version, window)?.code;

describe('the window of agent versions', () => {
  it('orders versions by number, and what follows a dash before the release', () => {
    expect(['0.10.0', '0.9.9', '1.0.0', '0.10.0-rc.2', '0.10.0-rc.10'].sort(compareVersions)).toEqual(['0.9.9', '0.10.0-rc.2', '0.10.0-rc.10', '0.10.0', '1.0.0']);
  });
  it('has both ends inside, and every patch of a newest that names none', () => {
    expect(['0.2.0', '0.2.9', '0.3.0', '0.3.99'].map(code)).toEqual([undefined, undefined, undefined, undefined]);
    expect(gateOf('0.3.1', { oldest: '0.2.0', newest: '0.3.0' })).toMatchObject({ code: 'agent-too-new' });
  });
  it('tells by name who is outside and what to do', () => {
    expect(['0.1.9', '0.2.0-rc.1', '0.4.0', '1.0.0'].map(code)).toEqual(['agent-too-old', 'agent-too-old', 'agent-too-new', 'agent-too-new']);
    expect(gateOf('0.1.9', window)?.detail).toMatch(/0\.1\.9.*0\.2\.0 to 0\.3\.x.*upgrade/);
  });
  it('holds what is no version for too old, and says nothing of who has not spoken yet', () => {
    expect(code('latest')).toBe('agent-too-old');
    expect(code(undefined)).toBeUndefined();
  });
});
