/** The agents that hosts download, and the script that installs one. */
export { AgentBuilds, type AgentRelease } from './agent-builds.ts';
