import { Transform } from 'class-transformer';
import { IsArray, IsIn, IsOptional } from 'class-validator';
import { type LiveTopic, liveTopics } from './live-hub.ts';

export class LiveQuery {
  /** `runs`, `progress`, `nodes`, `tasks`, `targets`, `snapshots`, divided by commas. Default: all. */
  @IsOptional() @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.split(',') : value))
  @IsArray() @IsIn(liveTopics, { each: true })
  topics?: LiveTopic[];
}
