/** The import map. Each rule says why. */
const libs = (names) => `^libs/(${names})/`;

/** What each library may import besides itself; everything not named here is an error. */
const graph = {
  kernel: [],
  contracts: ['kernel'],
  config: ['kernel'],
  'event-store': ['kernel'],
  projections: ['kernel', 'event-store'],
  storage: ['kernel', 'contracts'],
  sources: ['kernel', 'contracts'],
  identity: ['kernel', 'contracts'],
  embedded: ['kernel'],
  observability: ['kernel'],
  messaging: ['kernel', 'contracts', 'identity', 'event-store'],
  repository: ['kernel', 'contracts', 'storage', 'sources'],
};
const spec = '(\\.spec|\\.contract|/testing)\\.ts$';

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', comment: 'A cycle has no first file to read.', from: {}, to: { circular: true } },
    {
      name: 'no-app-to-app', severity: 'error', comment: 'Apps meet on the wire and in libs, never in code.',
      from: { path: '^apps/([^/]+)/' }, to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'libs-never-import-apps', severity: 'error', comment: 'A library that knows an app is part of it.',
      from: { path: '^libs/' }, to: { path: '^apps/' },
    },
    {
      name: 'doors-only', severity: 'error', comment: 'What index.ts and testing.ts do not name is private to its library.',
      from: { path: '^(apps|test)/' }, to: { path: '^libs/[^/]+/src/', pathNot: '^libs/[^/]+/src/(index|testing|environment)\\.ts$' },
    },
    {
      name: 'slice-doors-only', severity: 'error', comment: 'A slice reaches another slice only through its index.ts, so that its inside can change.',
      from: { path: '^apps/master/src/modules/([^/]+)/' },
      to: { path: '^apps/master/src/modules/([^/]+)/', pathNot: '^apps/master/src/modules/($1/|[^/]+/(index|testing|[^/]+\\.module)\\.ts$)' },
    },
    {
      name: 'domain-is-pure', severity: 'error', comment: 'Deciders are pure: no framework, database, bus or Node in them.',
      from: { path: '/domain/', pathNot: spec },
      to: { pathNot: ['/domain/', '^libs/kernel/', '^libs/event-store/src/index\\.ts$', '^apps/master/src/modules/[^/]+/index\\.ts$', '^libs/contracts/src/index\\.ts$'] },
    },
    {
      name: 'testing-in-tests-only', severity: 'error', comment: 'Product code that needs a fake is not product code.',
      from: { path: '^(apps|libs)/', pathNot: [spec, '^libs/testing/'] }, to: { path: ['^libs/testing/', '/testing\\.ts$'] },
    },
    ...Object.entries(graph).map(([lib, allowed]) => ({
      name: `${lib}-imports`, severity: 'error', comment: `libs/${lib} may import ${allowed.join(', ') || 'no other library'}: the libraries are a DAG.`,
      from: { path: libs(lib), pathNot: spec }, to: { path: '^libs/', pathNot: [libs([lib, ...allowed].join('|'))] },
    })),
    {
      name: 'no-nest-in-the-engine', severity: 'error', comment: 'The engine works with no master and no framework.',
      from: { path: libs('kernel|repository|sources|storage|identity|event-store') }, to: { path: 'node_modules/@nestjs' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|apps/console)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['source', 'import', 'node', 'default', 'types'] },
  },
};
