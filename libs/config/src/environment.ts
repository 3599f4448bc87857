/** The process's variables, read once at the edge and handed on; the only place that touches `process.env`. */
export const environment = (): Readonly<Record<string, string | undefined>> => ({ ...process.env });
