import type { Discovery } from './discovery.ts';
import type { Finder } from './finder.port.ts';
import type { HostView } from './host-view.ts';

const home = '/usr/sap';

const instancesOf = async (host: HostView, sid: string, running: ReadonlySet<string>): Promise<Discovery[]> =>
  (await host.names(`${home}/${sid}`)).map(String).filter((name) => /^HDB\d\d$/.test(name)).map((name) => {
    const path = `${home}/${sid}/${name}`;
    return {
      kind: 'saphana', path: Buffer.from(path), sockets: [], ports: [], ...(running.has(path) ? { running: true } : {}),
      evidence: [{ by: 'directory' as const, detail: path }, ...(running.has(path) ? [{ by: 'process' as const, detail: 'hdbnameserver' }] : [])],
    };
  });

/** Instances of SAP HANA, by their directories `/usr/sap/SID/HDBnn`; a name server that stands in one says that it runs. */
export const saphanaFinder: Finder = {
  kind: 'saphana',
  find: async (host) => {
    const sids = (await host.names(home)).map(String).filter((name) => /^[A-Z][A-Z0-9]{2}$/.test(name));
    if (sids.length === 0) return [];
    const servers = await host.processes(['hdbnameserver']);
    const running = new Set(servers.map(({ directory }) => /^(\/usr\/sap\/\w{3}\/HDB\d\d)(\/|$)/.exec(directory ?? '')?.[1]).filter((path) => path !== undefined));
    return (await Promise.all(sids.map((sid) => instancesOf(host, sid, running)))).flat();
  },
};
