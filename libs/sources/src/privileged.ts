import type { ExtendedAttribute } from './source.port.ts';

/** True for an attribute that only root may set: the `security.` and `trusted.` namespaces. */
export const isPrivileged = ({ name }: ExtendedAttribute): boolean => /^(?:security|trusted)\./.test(name.toString('latin1'));
