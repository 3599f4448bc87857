import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

/** Query string of every list; extend it with the list's filters. */
export class PageQuery {
  /** Items of a page. Default 50. */
  @IsOptional() @Type(() => Number) @IsInt() @Min(1) @Max(500) limit?: number;
  /** `nextCursor` of the page before; none for the first page. */
  @IsOptional() @IsString() @MaxLength(2000) cursor?: string;
}
