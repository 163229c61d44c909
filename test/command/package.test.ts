/** The command as npm installs it, from the packed library. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { all, started } from '../support/command.js'
import { limit } from '../support/limits.js'
import { hasProc } from '../support/process-table.mjs'
import { SIGINT, SIGUSR1, signalSet, temporaryFolder } from '../support/processes.js'

const root = join(import.meta.dirname, '../..')

const npm = (args: string[], cwd: string) =>
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, npm_config_update_notifier: 'false' },
  })

/** Nothing is built: the addon is this tree's. */
function packed(folder: string): string {
  const [{ filename }] = JSON.parse(npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder], root))
  return join(folder, filename)
}

function addAddon(library: string): void {
  for (const file of readdirSync(join(root, 'build/Release')).filter((name) => name.startsWith('sigshield'))) {
    cpSync(join(root, 'build/Release', file), join(library, 'build/Release', file))
  }
}

describe('npm', () => {
  it(
    'installs it, for all and for a project',
    async () => {
      const folder = temporaryFolder()
      const archive = packed(folder)

      const prefix = join(folder, 'prefix')
      npm(['install', '--global', '--prefix', prefix, '--ignore-scripts', archive], folder)
      const library = join(prefix, 'lib/node_modules/sigshield')
      const script = join(library, 'bin/sigshield.js')
      expect(statSync(script).mode & 0o777).toBe(0o755)
      expect(readFileSync(script, 'utf8')).toMatch(/^#!\/bin\/sh\n/)
      addAddon(library)
      const command = join(prefix, 'bin/sigshield')
      expect(lstatSync(command).isSymbolicLink()).toBe(true)
      expect(await all(started(command, ['exec', '--', signalSet]))).toMatchObject({
        out: '2\n',
        code: 0,
      })

      const project = join(folder, 'project')
      mkdirSync(project)
      writeFileSync(join(project, 'package.json'), '{ "private": true }')
      npm(['install', '--ignore-scripts', archive], project)
      addAddon(join(project, 'node_modules/sigshield'))
      const run = await all(started('npx', ['sigshield', 'run', '--', 'sh', '-c', 'exit 7'], { cwd: project }))
      expect(run).toMatchObject({ out: '', code: 7 })
    },
    limit(60_000),
  )
})

/** All that may be /bin/sh. */
describe('the shell that reads it first', () => {
  const script = join(root, 'bin/sigshield.js')
  const has = (command: string, args: string[]) => {
    try {
      execFileSync(command, [...args, '-c', 'exit 0'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  }

  const copied = (folder: string, changed = (text: string) => text) => {
    const copy = join(folder, 'sigshield.js')
    writeFileSync(copy, changed(readFileSync(script, 'utf8').replace('../dist', join(root, 'dist'))))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    chmodSync(copy, 0o755)
    return copy
  }

  const shells: [string, string[]][] = [
    ['dash', []],
    ['bash', ['--posix']],
    ['busybox', ['ash']],
    ['ksh', []],
    ['mksh', []],
    ['yash', []],
    ['zsh', ['--emulate', 'sh']],
  ]

  describe.each(shells)('%s', (shell, args) => {
    // Not every machine has them all.
    it.skipIf(!has(shell, args))('hands on what it was started with', async () => {
      const wrap = ['-c', `trap '' USR1; ulimit -Sn 400; exec "$@"`, 'sh', shell, ...args, script, 'exec', '--']
      const { out, err } = await all(started('bash', [...wrap, 'sh', '-c', `${signalSet}; ulimit -Sn`]))
      expect({ out, err }).toEqual({ out: `${SIGINT} ${SIGUSR1}\n400\n`, err: '' })
    })

    // Not every machine has them all, nor /proc. The second as where the usual places have none either.
    it.skipIf(!has(shell, args) || !hasProc).each([
      ['in PATH', '/usr/bin:/bin'],
      ['at all', '/nowhere'],
    ])('nor does it lose any where there is no program but node %s', async (_title, places) => {
      const folder = temporaryFolder()
      symlinkSync(process.execPath, join(folder, 'node'))
      const command = copied(folder, (text) => text.replace('/usr/bin:/bin', places))
      const env = {
        PATH: folder,
        'a.b': 'c',
        LINES_: 'a\nb\n',
        NODE_OPTIONS: '--stack-trace-limit=3',
        NODE_UNIQUE_ID: '7',
      }
      const path = execFileSync('sh', ['-c', 'command -v "$1"', 'sh', shell], { encoding: 'utf8' }).trim()
      const wrap = ['--ignore-signal=HUP', '--ignore-signal=QUIT', path, ...args, command]
      for (const name of ['exec', 'run']) {
        const signals = await all(started('/usr/bin/env', [...wrap, name, '--', signalSet], { env }))
        expect(signals).toEqual({ out: `1 ${SIGINT} 3\n`, err: '', code: 0, signal: null })
        const { out, err } = await all(started('/usr/bin/env', [...wrap, name, '--', '/usr/bin/env', '-0'], { env }))
        const entries = Object.entries(env).map(([key, value]) => `${key}=${value}`)
        expect({ err, entries: out.split('\0').filter(Boolean).sort() }).toEqual({ err: '', entries: entries.sort() })
      }
    })
  })

  it('none: node alone', async () => {
    const { out, err, code } = await all(
      started(process.execPath, [script, 'exec', '--ignore', 'TERM', '--', signalSet]),
    )
    expect({ out, err, code }).toEqual({ out: '15\n', err: '', code: 0 })
  })

  it('is not kept from it by odd names', async () => {
    const folder = join(temporaryFolder(), 'a b; $(c) \'"')
    mkdirSync(folder)
    const copy = copied(folder)
    expect((await all(started(copy, ['exec', 'echo', 'a  b', '$(c)']))).out).toBe('a  b $(c)\n')
  })
})
