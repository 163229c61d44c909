/** The command as npm installs it, from the packed library. */
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { all, started } from '../support/command.js'
import { limit } from '../support/limits.js'
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

  const shells: [string, string[]][] = [
    ['dash', []],
    ['bash', ['--posix']],
    ['busybox', ['ash']],
    ['ksh', []],
  ]

  describe.each(shells)('%s', (shell, args) => {
    // Not every machine has them all.
    it.skipIf(!has(shell, args))('hands on what it was started with', async () => {
      const wrap = ['-c', `trap '' USR1; ulimit -Sn 400; exec "$@"`, 'sh', shell, ...args, script, 'exec', '--']
      const { out, err } = await all(started('bash', [...wrap, 'sh', '-c', `${signalSet}; ulimit -Sn`]))
      expect({ out, err }).toEqual({ out: `${SIGINT} ${SIGUSR1}\n400\n`, err: '' })
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
    const copy = join(folder, 'sigshield.js')
    writeFileSync(copy, readFileSync(script, 'utf8').replace('../dist', join(root, 'dist')))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    chmodSync(copy, 0o755)
    expect((await all(started(copy, ['exec', 'echo', 'a  b', '$(c)']))).out).toBe('a  b $(c)\n')
  })
})
