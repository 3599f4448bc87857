import { ArrayMaxSize, ArrayMinSize, IsArray, IsString, MaxLength } from 'class-validator';
import { InstallOptionsRequest } from './install-options.dto.ts';

/** Many nodes and their links at once. */
export class IssueBatchRequest extends InstallOptionsRequest {
  /** The lines of a list of names, at most 50 of them; empty lines and those that begin with `#` name nothing. */
  @IsArray() @ArrayMinSize(1) @ArrayMaxSize(500) @IsString({ each: true }) @MaxLength(500, { each: true }) names: string[];
}

/** One node of a batch with the only sight of its token. */
export class BatchLink {
  /** Of the list, counted from 1. */
  line: number;
  name: string;
  node: string;
  /** Id of the link. */
  link: string;
  token: string;
  /** One line that installs the agent on its host, as root. */
  command: string;
  checkedCommand: string;
}

/** The only answer that holds the tokens. */
export class BatchAnswer {
  id: string;
  /** RFC 3339. */
  expiresAt: string;
  remainingSeconds: number;
  links: BatchLink[];
  /** A shell script with all of it, for loops over ssh or for Ansible; how it is used stands in it. */
  script: string;
}

export class BatchRevokedAnswer {
  /** Links that were open and are dead now. */
  revoked: number;
  /** Links that agents had used already: those are nodes, and stay it. */
  used: number;
}
