/** Every installer, with nothing but its defaults. */
import assert from 'node:assert/strict'
import { npmProgram } from '../support/npm-program.mjs'
import { Project } from './project.mjs'
import { tool } from './tools.mjs'

/** @typedef {import('./run.mjs').Case} Case */

const BUN = '1.4.5'
const DENO = '2.9.6'
/** Later ones of npm and pnpm want a later Node. */
const LATER = '24'

const bun = () => npmProgram('@oven/bun-linux-x64-baseline', BUN, 'bin/bun')
const deno = () => npmProgram('@deno/linux-x64-glibc', DENO, 'deno')

/** @returns {Case} */
function npm(
  /** @type {string} */ version,
  /** @type {string[]} */ flags = [],
  /** @type {string | undefined} */ node = undefined,
) {
  return {
    name: ['npm', version, ...flags].join(' '),
    async run({ registry }) {
      const project = new Project(registry, 'project', node)
      await project.script(tool('npm', version), ['install', 'sigshield', '--no-audit', '--no-fund', ...flags])
      await project.check()
      await project.checkCommand()
    },
  }
}

/** @returns {Case} */
function pnpm(/** @type {string} */ version, /** @type {string | undefined} */ node = undefined) {
  return {
    name: `pnpm ${version}`,
    async run({ registry }) {
      const project = new Project(registry, 'project', node)
      await project.script(tool('pnpm', version), ['add', 'sigshield', '--store-dir', `${project.home}/store`])
      await project.check()
      await project.checkCommand()
    },
  }
}

/** @returns {Case} */
function yarn4(/** @type {'pnp' | 'node-modules'} */ nodeLinker) {
  return {
    name: `yarn 4, ${nodeLinker}`,
    async run({ registry }) {
      const project = new Project(registry)
      const lines = [`npmRegistryServer: ${registry}`, 'unsafeHttpWhitelist: [127.0.0.1]', `nodeLinker: ${nodeLinker}`]
      project.write('.yarnrc.yml', [...lines, 'enableTelemetry: false', 'enableGlobalCache: false', ''].join('\n'))
      project.write('yarn.lock', '')
      const yarn = tool('@yarnpkg/cli-dist', '4', 'yarn')
      await project.script(yarn, ['add', 'sigshield'])
      assert.equal(project.has('node_modules/sigshield'), nodeLinker === 'node-modules')
      await project.check({ command: [project.node, yarn, 'node'] })
      await project.checkCommand([project.node, yarn, 'run', 'sigshield'])
    },
  }
}

/** @type {Case[]} */
export const installers = [
  { ...npm('11'), isReduced: true },
  npm('10'),
  npm('12', [], LATER),
  npm('11', ['--ignore-scripts']),
  npm('12', ['--ignore-scripts'], LATER),
  pnpm('9'),
  { ...pnpm('10'), isReduced: true },
  pnpm('11', LATER),
  pnpm('12', LATER),
  {
    name: 'yarn 1',
    async run({ registry }) {
      const project = new Project(registry)
      project.write('.yarnrc', `registry "${registry}"\n`)
      await project.script(tool('yarn', '1'), ['add', 'sigshield', '--non-interactive'])
      await project.check()
      await project.checkCommand()
    },
  },
  { ...yarn4('pnp'), isReduced: true },
  yarn4('node-modules'),
  {
    name: 'bun add',
    isReduced: true,
    async run({ registry }) {
      const project = new Project(registry)
      await project.run(bun(), ['add', 'sigshield'])
      await project.check()
      await project.checkCommand()
      await refused(project, [bun(), 'refused.mjs'], 'Bun')
    },
  },
  {
    name: 'deno add',
    async run({ registry }) {
      const project = new Project(registry)
      await project.run(deno(), ['add', 'npm:sigshield'])
      await project.run(deno(), ['install'])
      await project.check()
      await refused(project, [deno(), 'run', '--allow-all', 'refused.mjs'], 'Deno')
    },
  },
]

/** Installed it is, and what is not Node is told so. */
async function refused(
  /** @type {Project} */ project,
  /** @type {string[]} */ [program = '', ...args],
  /** @type {string} */ name,
) {
  const said = JSON.parse(await project.run(program, args))
  assert.equal(said.connected, false)
  assert.equal(said.code, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM')
  assert.match(said.message, new RegExp(`this is ${name} `))
}
