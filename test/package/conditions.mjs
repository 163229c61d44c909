/** Where it is installed, and beside what. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { headers } from '../systems/addon.mjs'
import { output, root } from '../systems/machine.mjs'
import { checkOutput, Project } from './project.mjs'
import { tool } from './tools.mjs'

/** @typedef {import('./run.mjs').Case} Case */

/** The oldest that package.json allows, and the newest of each series. */
const nodes = ['20.19.0', '20', '22.12.0', '22', '24', '26']

/** @type {Case[]} */
export const conditions = [
  ...nodes.map((version) => ({
    name: `Node ${version}`,
    async run(/** @type {import('./run.mjs').Context} */ { registry }) {
      const project = new Project(registry, 'project', version)
      // By npm of this machine's Node: what is tried is not npm.
      await project.run(process.execPath, [tool('npm', '11'), 'install', 'sigshield'])
      await project.check()
      const { code, err } = await project.attempt(project.node, ['check.cjs'])
      assert.deepEqual([code, err], [0, ''])
      await project.checkCommand()
    },
  })),
  {
    name: 'a Node that is too old says so',
    isReduced: true,
    async run({ registry }) {
      const project = new Project(registry)
      await project.install()
      // As in Node before 20.16.
      const older = ['--import', 'data:text/javascript,process.getBuiltinModule=undefined']
      for (const entry of ['sigshield', 'sigshield/child', 'sigshield/protect', 'sigshield/signals']) {
        const { code, err } = await project.attempt(project.node, [
          ...older,
          '--input-type=module',
          '-e',
          `import '${entry}'`,
        ])
        assert.equal(code, 1)
        assert.match(err, /^Error: sigshield needs Node.js 20.19 or later of 20, or 22.12 and newer: this is v/m)
      }
    },
  },
  {
    name: 'a path with spaces and other letters',
    isReduced: true,
    async run({ registry }) {
      const project = new Project(registry, "übung ☃ 项目 'a' (b)")
      await project.install()
      // The loader takes no guard from a path with a space: that is told, and the filter holds.
      const out = await project.run(project.node, ['refused.mjs'])
      assert.equal(JSON.parse(out).code, 'started')
      await project.checkCommand()
    },
  },
  {
    name: 'a path with other letters',
    async run({ registry }) {
      const project = new Project(registry, 'übung☃项目')
      await project.install()
      await project.check()
    },
  },
  {
    name: 'node_modules that can’t be written',
    async run({ registry }) {
      const project = new Project(registry)
      await project.install()
      const modules = `${project.folder}/node_modules`
      // Root may write whatever the modes say.
      const script = `mount --bind '${modules}' '${modules}' && mount -o remount,ro,bind '${modules}' && ! (echo > '${modules}/x') 2>/dev/null && exec node check.mjs`
      const root = process.getuid?.() === 0 ? [] : ['--map-root-user']
      checkOutput(
        await project.run('/usr/bin/unshare', [...root, '--mount', 'sh', '-c', script]),
        'prebuilds/linux-x64-glibc/sigshield.node',
      )
    },
  },
  {
    name: 'two versions in one program',
    async run({ registry, older }) {
      const project = new Project(registry)
      await project.install([`sigshield-older@npm:sigshield@${older}`])
      checkOutput(await project.run(project.node, ['two-versions.mjs']), 'prebuilds/linux-x64-glibc/sigshield.node')
    },
  },
  {
    name: 'no binary: the command that is told builds one',
    async run({ registry }) {
      const project = new Project(registry)
      await project.install()
      const own = join(project.folder, 'node_modules/sigshield')
      rmSync(join(own, 'prebuilds/linux-x64-glibc'), { recursive: true })
      const { code, message } = JSON.parse(await project.run(project.node, ['refused.mjs']))
      assert.equal(code, 'ERR_DLOPEN_FAILED')
      const [, folder = ''] =
        message.match(
          /prebuilds\/linux-x64-glibc of the package was left out.*`npx --yes node-gyp rebuild -C '(.*)'`/,
        ) ?? []
      assert.equal(folder, join(own, 'source'))
      // npx would fetch it, and this registry has it not. The compiler is this machine's.
      const gyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js')
      const nodedir = dirname(dirname(headers()))
      await project.run(process.execPath, [gyp, 'rebuild', '-C', folder, '--nodedir', nodedir], {
        PATH: process.env.PATH,
      })
      await project.check({ addon: 'source/build/Release/sigshield.node' })
    },
  },
  {
    name: 'packed again: the same bytes',
    async run({ tarball }) {
      const out = mkdtempSync(join(tmpdir(), 'sigshield-again-'))
      // By who keeps all to himself.
      const command = `umask 077; exec "$0" "$@"`
      const args = ['-c', command, process.execPath, join(root, 'packaging/package.mjs'), '--out', out]
      const again = output('sh', args).trim()
      assert.ok(readFileSync(again).equals(readFileSync(tarball)))
      rmSync(out, { recursive: true })
    },
  },
  {
    name: 'node_modules from another libc, or cut',
    async run({ registry }) {
      const project = new Project(registry)
      await project.install()
      const prebuilds = join(project.folder, 'node_modules/sigshield/prebuilds')
      cpSync(join(prebuilds, 'linux-x64-musl'), join(prebuilds, '../build/Release'), { recursive: true })
      const said = JSON.parse(await project.run(project.node, ['refused.mjs']))
      assert.match(said.message, /made for linux-x64-musl, and this Node for linux-x64-glibc/)
      // Its advice.
      const [, wrong = ''] = said.message.match(/ Remove (\S+),/) ?? []
      rmSync(wrong)
      await project.check()
      rmSync(prebuilds, { recursive: true })
      assert.match(JSON.parse(await project.run(project.node, ['refused.mjs'])).message, /Install the package again/)
    },
  },
]
