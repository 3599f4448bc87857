import type { Finder } from './finder.port.ts';

/** Where Docker and Podman keep the data of containers: one directory each, in it `_data`. */
const places = [['docker-volume', '/var/lib/docker/volumes'], ['podman-volume', '/var/lib/containers/storage/volumes']] as const;

/** Volumes of containers, by their directories. What runs in containers is told by the finders of databases. */
export const volumesFinder: Finder = {
  kind: 'volumes',
  find: async (host) => (await Promise.all(places.map(async ([kind, place]) => (await host.entries(Buffer.from(place)))
    .filter(({ directory }) => directory)
    .map(({ name }) => ({
      kind, path: Buffer.concat([Buffer.from(`${place}/`), name, Buffer.from('/_data')]), sockets: [], ports: [],
      evidence: [{ by: 'directory' as const, detail: place }],
    }))))).flat(),
};
