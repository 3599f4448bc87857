/** Version of the agent as masters show it; the package's own. */
export const agentVersion = '0.1.0';
