export { LogConfig, NatsConfig, PostgresConfig } from './common.ts';
export { environment } from './environment.ts';
export { asBoolean, asDuration, asInteger, asList } from './parse.ts';
export { type Variables, readConfig } from './read-config.ts';
export { IsSecret, isPlaceholder } from './secret.ts';
export { type Parse, Section, Setting, type SettingOptions } from './setting.ts';
