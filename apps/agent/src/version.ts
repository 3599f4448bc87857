/** Put in by `scripts/build-agent.mjs`. */
declare const HOLDFAST_BUILD_VERSION: string | undefined;

/** Version of the agent as masters show it; the package's own, unless the build of the one file was given another. */
export const agentVersion: string = typeof HOLDFAST_BUILD_VERSION === 'string' ? HOLDFAST_BUILD_VERSION : '0.1.0';
