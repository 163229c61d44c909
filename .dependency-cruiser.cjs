// Imports go one way: command → public → supervise → foreign → end → start → exit-event, guard → event, signal → native → node.
// CONTRIBUTING.md has the map.
const room = (name) => `^lib/${name}/`
const publicFiles = '^lib/[^/]+\\.ts$'

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'start-knows-nothing-public-but-the-exit-event',
      severity: 'error',
      from: { path: room('start') },
      to: { path: publicFiles, pathNot: '^lib/exit-event\\.ts$' },
    },
    {
      name: 'end-stands-below-those-who-end',
      severity: 'error',
      from: { path: room('end') },
      to: { path: [room('foreign'), room('supervise')] },
    },
    {
      name: 'foreign-knows-nothing-public-but-the-exit-event-and-stop',
      severity: 'error',
      from: { path: room('foreign') },
      to: { path: [publicFiles, room('supervise')], pathNot: '^lib/(exit-event|stop)\\.ts$' },
    },
    {
      name: 'exit-event-stands-below-start',
      severity: 'error',
      from: { path: ['^lib/exit-event\\.ts$', '^lib/child\\.ts$'] },
      to: { path: [room('start'), publicFiles], pathNot: '^lib/exit-event\\.ts$' },
    },
    {
      name: 'event-stands-below-start',
      severity: 'error',
      from: { path: room('event') },
      to: { path: [publicFiles, room('start'), room('signal')] },
    },
    {
      name: 'signal-stands-below-start',
      severity: 'error',
      from: { path: room('signal') },
      to: { path: [publicFiles, room('start'), room('event'), room('guard')] },
    },
    {
      name: 'guard-stands-below-start',
      severity: 'error',
      from: { path: room('guard') },
      to: { path: [publicFiles, room('start'), room('event')] },
    },
    {
      name: 'nobody-needs-the-command',
      severity: 'error',
      from: { path: '^lib/', pathNot: room('command') },
      to: { path: room('command') },
    },
    {
      name: 'native-is-mechanism',
      severity: 'error',
      from: { path: room('native') },
      to: { path: '^lib/', pathNot: [room('native'), room('node')] },
    },
    {
      name: 'node-knows-only-node',
      severity: 'error',
      from: { path: room('node') },
      to: { path: '^lib/', pathNot: room('node') },
    },
    {
      name: 'the-addon-only-through-lib-native',
      severity: 'error',
      from: { path: '^lib/', pathNot: room('native') },
      to: { path: ['^build/', '^prebuilds/', '^source/'] },
    },
    {
      name: 'the-library-needs-no-tests',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(test|bench|examples|packaging)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
}
